"""aqscore.aws.s3 with a real S3: bounded reads of one version, and typed errors."""

import os
import tempfile
from contextlib import suppress
from dataclasses import replace

import pytest
from botocore.exceptions import EndpointConnectionError

from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.s3 import S3Client
from aqscore.errors import LimitExceeded, ObjectNotFound, StorageUnavailable, Superseded
from tests.integration.buckets import put


def test_the_whole_object_is_read_and_its_reference_completed(s3, s3_client, incoming):
    body = bytes(range(256)) * 20_000
    put(s3, incoming, "a.wav", body, "01")
    with s3_client.open(ObjectRef(incoming, "a.wav"), 10**7) as (file, ref):
        assert file.fileno() > 0
        assert file.read() == body
    assert ref.size_bytes == len(body)
    assert ref.version_id and ref.etag and ref.modified


def test_the_version_of_the_event_is_read_rather_than_the_newest(s3, s3_client, incoming):
    first = put(s3, incoming, "a.wav", b"first", "01")
    put(s3, incoming, "a.wav", b"second", "02")
    with s3_client.open(first, 100) as (file, _):
        assert file.read() == b"first"


def test_without_versions_an_overwritten_object_is_superseded(s3, s3_client, plain_incoming):
    first = put(s3, plain_incoming, "a.wav", b"first", "01")
    put(s3, plain_incoming, "a.wav", b"second", "02")
    with pytest.raises(Superseded), s3_client.open(first, 100):
        pass


@pytest.mark.parametrize("ref", [ObjectRef("nowhere-at-all", "a"), ObjectRef("", "missing.wav")])
def test_a_missing_bucket_or_object_is_not_found(s3_client, incoming, ref):
    with (
        pytest.raises(ObjectNotFound, match="There is no object"),
        s3_client.open(replace(ref, bucket=ref.bucket or incoming), 100),
    ):
        pass


def test_a_deleted_version_is_not_found(s3, s3_client, incoming):
    ref = put(s3, incoming, "a.wav", b"first", "01")
    s3.delete_object(Bucket=incoming, Key="a.wav", VersionId=ref.version_id)
    with pytest.raises(ObjectNotFound), s3_client.open(ref, 100):
        pass


def test_an_object_over_the_limit_is_not_fetched(s3, s3_client, incoming):
    ref = put(s3, incoming, "a.wav", b"x" * 1001, "01")
    with pytest.raises(LimitExceeded, match=r"1,001 bytes, the limit is 1,000"), s3_client.open(ref, 1000):
        pass


def test_the_temporary_file_has_no_name(s3, s3_client, incoming, tmp_path, monkeypatch):
    """So nothing is left of it when the process is killed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ref = put(s3, incoming, "a.wav", b"x" * 1000, "01")
    with suppress(RuntimeError), s3_client.open(ref, 1000) as (file, _):
        assert os.fstat(file.fileno()).st_dev == tmp_path.stat().st_dev
        assert os.fstat(file.fileno()).st_nlink == 0
        assert not list(tmp_path.iterdir())
        raise RuntimeError("Scoring failed")
    assert not list(tmp_path.iterdir())
    assert file.closed


def test_an_unreachable_endpoint_is_a_retryable_error(s3):
    def fail(**_):
        raise EndpointConnectionError(endpoint_url="http://s3")

    unreachable = type("S3", (), {"get_object": staticmethod(fail), "head_object": staticmethod(fail)})
    with pytest.raises(StorageUnavailable), S3Client(unreachable).open(ObjectRef("b", "k"), 1):
        pass
    with pytest.raises(StorageUnavailable):
        S3Client(unreachable).head("b", "k")
