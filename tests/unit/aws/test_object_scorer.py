"""drop_folder.py against a model of S3: what a call has time for, and which objects are its business."""

import math
from types import SimpleNamespace

import pytest

from aqscore.aws import object_scorer as module
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.aws.settings import Settings
from aqscore.aws.storage import Storage
from aqscore.errors import BadRequest, OutOfTime
from tests.unit.aws.memory_s3 import MemoryS3

INCOMING, RESULTS = "incoming", "results"
BIG_BYTES = 100_000_000


class Clock:
    """The time, which passes only with requests to S3."""

    def __init__(self, request_s: float) -> None:
        self.now, self.request_s = 0.0, request_s

    def request(self) -> None:
        self.now += self.request_s


@pytest.fixture
def given_s(monkeypatch) -> list[float]:
    """The seconds that each scoring is given; there is no result, for want of more of them."""
    given = []

    def score_file(file, config, time_limit_s):
        given.append(time_limit_s)
        raise OutOfTime("Not in this test.")

    monkeypatch.setattr(module, "score_file", score_file)
    return given


def folder(monkeypatch, request_s: float = 0.0, prefix: str = "") -> ObjectScorer:
    clock = Clock(request_s)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    s3 = MemoryS3(clock.request)
    s3.put(INCOMING, "calls/a.wav", b"sound")
    settings = Settings(incoming_bucket=INCOMING, incoming_prefix=prefix, results_bucket=RESULTS)
    return ObjectScorer(settings, Storage(s3))


def test_a_fresh_call_tries_whatever_comes_and_still_ends_in_time(monkeypatch, given_s):
    big = ObjectRef(INCOMING, "calls/a.wav", size_bytes=BIG_BYTES)
    with pytest.raises(OutOfTime, match="are left of this call"):
        folder(monkeypatch).process(big, left_s=60)
    assert given_s == []
    with pytest.raises(OutOfTime):
        folder(monkeypatch).process(big, left_s=60, is_fresh_call=True)
    assert given_s == [60 - module.LEAST_S]


def test_a_download_that_took_all_the_time_leaves_none_to_decode_in(monkeypatch, given_s):
    with pytest.raises(OutOfTime, match="Not in this test"):
        folder(monkeypatch, request_s=5).process(ObjectRef(INCOMING, "calls/a.wav"), left_s=15, again=True)
    assert given_s == [15 - 5 - module.LEAST_S]
    with pytest.raises(OutOfTime, match="2 s are needed, 1 s are left of this call"):
        folder(monkeypatch, request_s=14).process(ObjectRef(INCOMING, "calls/a.wav"), left_s=15, again=True)


def test_what_lies_outside_the_incoming_prefix_is_not_asked_for(monkeypatch, given_s):
    stranger = folder(monkeypatch, request_s=math.inf, prefix="sales/")
    with pytest.raises(BadRequest, match="is not under sales/"):
        stranger.process(ObjectRef(INCOMING, "calls/a.wav"))
    with pytest.raises(OutOfTime):
        folder(monkeypatch, prefix="calls/").process(ObjectRef(INCOMING, "calls/a.wav"), left_s=60)
    assert len(given_s) == 1
