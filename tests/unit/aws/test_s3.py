"""aqscore.aws.s3 as far as it needs no S3: presigned uploads, and the errors of S3."""

import boto3
import pytest
from botocore.stub import Stubber

from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.s3 import S3Client
from aqscore.errors import (
    ObjectArchived,
    ObjectNotFound,
    ObjectUnreadable,
    PermanentError,
    StorageUnavailable,
)


@pytest.mark.parametrize(
    ("bucket", "url"),
    [
        ("calls", "https://calls.s3.eu-central-1.amazonaws.com/"),
        ("my.calls", "https://s3.eu-central-1.amazonaws.com/my.calls"),
    ],
)
def test_uploads_go_to_the_regions_own_address(monkeypatch, bucket, url):
    """The global address redirects while a bucket is new, and a browser's upload doesn't follow."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    ref = ObjectRef(bucket, "uploads/1", size_bytes=10)
    assert S3Client().presign_upload(ref, "audio/wav", 60)["url"] == url


def failing(operation: str, code: str, status: int, **details: str) -> S3Client:
    """A client of which each request fails in this way, as S3 documents it."""
    s3 = boto3.client("s3", "eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
    stubber = Stubber(s3)
    stubber.add_client_error(operation, code, "The reason.", status, modeled_fields=details)
    stubber.activate()
    return S3Client(s3)


def opened(client: S3Client) -> None:
    with client.open(ObjectRef("calls", "a.wav", version_id="v1"), 1000):
        pass


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("InvalidObjectState", 403, ObjectArchived),
        ("InvalidRequest", 400, ObjectUnreadable),
        ("InvalidArgument", 400, ObjectUnreadable),
        ("MethodNotAllowed", 405, ObjectNotFound),
        ("NoSuchVersion", 404, ObjectNotFound),
    ],
)
def test_a_state_of_the_object_is_permanent(code, status, kind):
    """tests/integration makes these states in LocalStack; the codes here are those of S3's documentation."""
    with pytest.raises(kind) as caught:
        opened(failing("get_object", code, status))
    assert isinstance(caught.value, PermanentError)
    assert code in caught.value.message


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AccessDenied", 403),
        ("KMS.DisabledException", 400),
        ("KMS.KMSInvalidStateException", 400),
        ("KMS.NotFoundException", 400),
        ("SlowDown", 503),
    ],
)
def test_what_an_operator_can_correct_is_retried(code, status):
    """LocalStack denies nobody and disables no key, so that only a stub can answer in this way."""
    with pytest.raises(StorageUnavailable):
        opened(failing("get_object", code, status))
    with pytest.raises(StorageUnavailable):
        failing("head_object", str(status), status).head("results", "a.wav.json")


def test_a_state_of_a_recording_is_no_state_of_a_result():
    """Only a GET of a recording has these. A result that can't be written is retried."""
    for operation, request in {
        "put_object": lambda client: client.put_json_if("results", "a", b"{}", {}, etag=None),
        "head_object": lambda client: client.head("results", "a"),
    }.items():
        for code in ("InvalidRequest", "InvalidArgument", "InvalidObjectState"):
            with pytest.raises(StorageUnavailable):
                request(failing(operation, code, 400))


def test_the_current_version_of_an_object_with_a_callers_key_is_unknown():
    """HEAD has no body: S3 answers 400 without a code."""
    ref = ObjectRef("calls", "a.wav", "v1", "e1", "0A", 5)
    current = failing("head_object", "400", 400).current(ref)
    assert current == ObjectRef("calls", "a.wav", sequencer="0A")
    assert failing("head_object", "404", 404).current(ref) is None
    with pytest.raises(StorageUnavailable):
        failing("head_object", "403", 403).current(ref)
