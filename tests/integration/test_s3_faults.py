"""Failures of S3 and of the connection to it: requests are repeated, and no effect happens twice."""

from collections.abc import Callable, Iterator

import pytest

from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.result_store import ResultKind, ResultStore
from aqscore.aws.s3 import READ_TRIES, S3Client
from aqscore.errors import StorageUnavailable
from infra.soak.proxy import FaultProxy, fault_proxy
from tests.integration.buckets import put, stored

BODY = bytes(range(256)) * 4000
SOURCE = ObjectRef("in", "a", "v1", "e1", "01")


@pytest.fixture
def faulty(s3, monkeypatch) -> Iterator[Callable[..., S3Client]]:
    """``faulty("503", None, ...)``: a client whose first requests have these faults behind S3."""
    with fault_proxy(s3.meta.endpoint_url.removeprefix("http://"), share=0, seed=0) as proxy:
        for name, value in {
            "AWS_ENDPOINT_URL_S3": proxy.address,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }.items():
            monkeypatch.setenv(name, value)

        def s3_client(*faults: str | None) -> S3Client:
            left = list(faults)
            monkeypatch.setattr(FaultProxy, "draw", lambda _: (left.pop(0) if left else None, True))
            return S3Client()

        yield s3_client


@pytest.mark.parametrize("fault", ["503", "reset", "truncated"])
def test_the_whole_object_is_read_despite_the_fault(s3, faulty, incoming, fault):
    ref = put(s3, incoming, "a.wav", BODY, "01")
    with faulty(fault, fault).open(ref, len(BODY)) as (file, _):
        assert file.read() == BODY


def test_a_body_that_always_breaks_off_is_a_retryable_error(s3, faulty, incoming):
    ref = put(s3, incoming, "a.wav", BODY, "01")
    with pytest.raises(StorageUnavailable), faulty(*["truncated"] * READ_TRIES).open(ref, len(BODY)):
        pass


@pytest.mark.parametrize("fault", ["503", "reset"])
@pytest.mark.parametrize("place", range(3), ids=["HEAD", "PUT", "HEAD of the other kind"])
def test_a_result_is_written_although_the_answer_is_lost(s3, faulty, results, fault, place):
    """S3 has carried out the lost request, so the condition of the second try fails."""
    assert ResultStore(faulty(*[None] * place, fault), results).write("a", ResultKind.REPORT, b"{}", SOURCE)
    assert stored(s3, results) == {"a.json": b"{}"}


def test_a_missing_answer_times_out_soon(s3, faulty, results):
    assert ResultStore(faulty(None, "time-out"), results).write("a", ResultKind.REPORT, b"{}", SOURCE)
    assert stored(s3, results) == {"a.json": b"{}"}
