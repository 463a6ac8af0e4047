"""storage.py with a real S3: the announced version is read, and one result stays, the newest."""

import os
import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.exceptions import EndpointConnectionError

from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.storage import Storage
from aqscore.errors import LimitExceeded, ObjectNotFound, StorageUnavailable, Superseded


def announced(s3, bucket: str, key: str, body: bytes, sequencer: str) -> ObjectRef:
    """Puts an object; returns what its event would say."""
    answer = s3.put_object(Bucket=bucket, Key=key, Body=body)
    return ObjectRef(bucket, key, answer.get("VersionId"), answer["ETag"].strip('"'), sequencer, len(body))


def stored(s3, bucket: str) -> dict[str, bytes]:
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {each["Key"]: s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed}


def test_an_object_is_read_whole_and_its_reference_completed(s3, storage, incoming):
    body = bytes(range(256)) * 20_000
    announced(s3, incoming, "a.wav", body, "01")
    with storage.open(ObjectRef(incoming, "a.wav"), 10**7) as (file, ref):
        assert file.fileno() > 0
        assert file.read() == body
    assert ref.size_bytes == len(body)
    assert ref.version_id and ref.etag and ref.modified


def test_the_announced_version_is_read_and_not_the_newest(s3, storage, incoming):
    first = announced(s3, incoming, "a.wav", b"first", "01")
    announced(s3, incoming, "a.wav", b"second", "02")
    with storage.open(first, 100) as (file, _):
        assert file.read() == b"first"


def test_without_versions_an_overwritten_object_is_superseded(s3, storage, plain_incoming):
    first = announced(s3, plain_incoming, "a.wav", b"first", "01")
    announced(s3, plain_incoming, "a.wav", b"second", "02")
    with pytest.raises(Superseded), storage.open(first, 100):
        pass


@pytest.mark.parametrize("ref", [ObjectRef("nowhere-at-all", "a"), ObjectRef("", "missing.wav")])
def test_what_is_not_there_is_not_found(storage, incoming, ref):
    with (
        pytest.raises(ObjectNotFound, match="There is no object"),
        storage.open(replace(ref, bucket=ref.bucket or incoming), 100),
    ):
        pass


def test_a_deleted_version_is_not_found(s3, storage, incoming):
    ref = announced(s3, incoming, "a.wav", b"first", "01")
    s3.delete_object(Bucket=incoming, Key="a.wav", VersionId=ref.version_id)
    with pytest.raises(ObjectNotFound), storage.open(ref, 100):
        pass


def test_more_bytes_than_the_limit_are_not_even_fetched(s3, storage, incoming):
    ref = announced(s3, incoming, "a.wav", b"x" * 1001, "01")
    with pytest.raises(LimitExceeded, match=r"1,001 bytes, the limit is 1,000"), storage.open(ref, 1000):
        pass


def test_no_temporary_file_has_a_name_that_could_outlive_it(s3, storage, incoming, tmp_path, monkeypatch):
    """Not even while it is in use: so nothing is left when the process is killed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ref = announced(s3, incoming, "a.wav", b"x" * 1000, "01")
    with suppress(RuntimeError), storage.open(ref, 1000) as (file, _):
        assert os.fstat(file.fileno()).st_dev == tmp_path.stat().st_dev
        assert os.fstat(file.fileno()).st_nlink == 0
        assert not list(tmp_path.iterdir())
        raise RuntimeError("Scoring failed")
    assert not list(tmp_path.iterdir())
    assert file.closed


def test_an_endpoint_that_does_not_answer_is_ours_to_retry(s3):
    def fail(**_):
        raise EndpointConnectionError(endpoint_url="http://s3")

    s3_away = type("S3", (), {"get_object": staticmethod(fail), "head_object": staticmethod(fail)})
    with pytest.raises(StorageUnavailable), Storage(s3_away).open(ObjectRef("b", "k"), 1):
        pass
    with pytest.raises(StorageUnavailable):
        Storage(s3_away).find_result("b", ("k",))


def test_a_result_says_what_it_is_for(s3, storage, results):
    source = ObjectRef("in", "录音.wav", "v1", "e1", "0A", 5, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert storage.put_result(results, "录音.wav.json", "录音.wav.error.json", b"{}", source)
    assert s3.head_object(Bucket=results, Key="录音.wav.json")["ContentType"] == "application/json"
    found = storage.find_result(results, ("none.json", "录音.wav.json")).source
    assert found.is_same_version(source)
    assert (found.sequencer, found.modified) == (source.sequencer, source.modified)


def test_an_older_result_never_replaces_a_newer_one(s3, storage, results):
    newer, older = ObjectRef("in", "a", "v2", "e2", "00FF"), ObjectRef("in", "a", "v1", "e1", "FE")
    assert storage.put_result(results, "a.json", "a.error.json", b"newer", newer)
    assert not storage.put_result(results, "a.json", "a.error.json", b"older", older)
    assert not storage.put_result(results, "a.error.json", "a.json", b"older error", older)
    assert stored(s3, results) == {"a.json": b"newer"}


def test_a_newer_result_replaces_an_older_one_of_either_kind(s3, storage, results):
    one, two, three = (ObjectRef("in", "a", f"v{n}", f"e{n}", f"0{n}") for n in (1, 2, 3))
    assert storage.put_result(results, "a.error.json", "a.json", b"error 1", one)
    assert storage.put_result(results, "a.json", "a.error.json", b"report 2", two)
    assert stored(s3, results) == {"a.json": b"report 2"}
    assert storage.put_result(results, "a.error.json", "a.json", b"error 3", three)
    assert stored(s3, results) == {"a.error.json": b"error 3"}


def test_a_result_that_another_writer_has_just_removed_is_no_failure(s3, storage, results, monkeypatch):
    oldest, older, newer = (ObjectRef("in", "a", f"v{n}", f"e{n}", f"0{n}") for n in (1, 2, 3))
    assert storage.put_result(results, "a.error.json", "a.json", b"oldest", oldest)
    assert storage.put_result(results, "a.error.json", "a.json", b"older", older)
    seen = storage.find_result(results, ("a.error.json",))
    s3.delete_object(Bucket=results, Key="a.error.json", VersionId=seen.version_id)
    real = storage.find_result
    stale = [seen]
    monkeypatch.setattr(
        storage,
        "find_result",
        lambda bucket, keys: stale.pop() if stale and "a.error.json" in keys else real(bucket, keys),
    )
    assert storage.put_result(results, "a.json", "a.error.json", b"newer", newer)
    assert stored(s3, results) == {"a.json": b"newer"}


def test_of_many_writers_at_once_the_newest_stays(s3, storage, results):
    """Twelve versions, reports and error records, written from threads that start together."""
    start = threading.Barrier(12)
    failures = []

    def write(number: int) -> None:
        keys = ("a.json", "a.error.json") if number % 2 else ("a.error.json", "a.json")
        ref = ObjectRef("in", "a", f"v{number}", f"e{number}", f"{number:04X}")
        start.wait()
        try:
            storage.put_result(results, *keys, str(number).encode(), ref)
        except StorageUnavailable as error:
            failures.append((number, error))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 11 not in [number for number, _ in failures]
    assert stored(s3, results) == {"a.json": b"11"}


@pytest.mark.parametrize(("a", "b"), [("01", "02"), ("FF", "0100"), ("0a", "0B"), ("9", "00A")])
def test_sequencers_compare_as_padded_hexadecimal_numbers(a, b):
    older, newer = (ObjectRef("b", "k", sequencer=sequencer) for sequencer in (a, b))
    assert older.is_older_than(newer)
    assert not newer.is_older_than(older)
    assert not older.is_older_than(older)
