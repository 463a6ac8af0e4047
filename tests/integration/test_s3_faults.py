"""storage.py when S3 or the way to it fails: what is lost is asked for again, and nothing is done twice."""

from collections.abc import Callable, Iterator

import pytest

from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.storage import READ_TRIES, Storage
from aqscore.errors import StorageUnavailable
from infra.soak.proxy import FaultProxy, fault_proxy
from tests.integration.test_s3 import announced, stored

BODY = bytes(range(256)) * 4000


@pytest.fixture
def faulty(s3, monkeypatch) -> Iterator[Callable[..., Storage]]:
    """``faulty("503", None, ...)``: a Storage whose first requests suffer these faults; S3 sees them all."""
    with fault_proxy(s3.meta.endpoint_url.removeprefix("http://"), share=0, seed=0) as proxy:
        for name, value in {
            "AWS_ENDPOINT_URL_S3": proxy.address,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }.items():
            monkeypatch.setenv(name, value)

        def storage(*faults: str | None) -> Storage:
            left = list(faults)
            monkeypatch.setattr(FaultProxy, "draw", lambda _: (left.pop(0) if left else None, True))
            return Storage()

        yield storage


@pytest.mark.parametrize("fault", ["503", "reset", "truncated"])
def test_an_object_is_read_whole_all_the_same(s3, faulty, incoming, fault):
    ref = announced(s3, incoming, "a.wav", BODY, "01")
    with faulty(fault, fault).open(ref, len(BODY)) as (file, _):
        assert file.read() == BODY


def test_a_body_that_always_breaks_off_is_ours_to_retry(s3, faulty, incoming):
    ref = announced(s3, incoming, "a.wav", BODY, "01")
    with pytest.raises(StorageUnavailable), faulty(*["truncated"] * READ_TRIES).open(ref, len(BODY)):
        pass


@pytest.mark.parametrize("fault", ["503", "reset"])
@pytest.mark.parametrize("place", range(3), ids=["HEAD", "PUT", "HEAD of the other"])
def test_a_result_is_written_although_the_answer_is_lost(s3, faulty, results, fault, place):
    """Lost after S3 has carried it out: the condition of the second try fails, and that must not confuse."""
    storage = faulty(*[None] * place, fault)
    assert storage.put_result(
        results, "a.json", "a.error.json", b"{}", ObjectRef("in", "a", "v1", "e1", "01")
    )
    assert stored(s3, results) == {"a.json": b"{}"}


def test_an_answer_that_does_not_come_is_not_waited_for_long(s3, faulty, results):
    source = ObjectRef("in", "a", "v1", "e1", "01")
    storage = faulty(None, "time-out")
    assert storage.put_result(results, "a.json", "a.error.json", b"{}", source)
    assert stored(s3, results) == {"a.json": b"{}"}
