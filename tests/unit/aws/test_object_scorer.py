"""aqscore.aws.object_scorer against a model of S3: time limits, and objects outside its prefix."""

import pytest

from aqscore.aws.invocation import Attempt
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import OVERHEAD_S, ObjectScorer
from aqscore.aws.s3 import S3Client
from aqscore.aws.settings import Settings
from aqscore.errors import BadRequest, OutOfTime
from tests.unit.aws.memory_s3 import MemoryS3

INCOMING, RESULTS = "incoming", "results"
REF = ObjectRef(INCOMING, "calls/a.wav")
BIG = ObjectRef(INCOMING, "calls/a.wav", size_bytes=100_000_000)


class Clock:
    """A clock that advances with requests to S3 only."""

    def __init__(self, request_s: float) -> None:
        self.now, self.request_s = 0.0, request_s

    def advance(self) -> None:
        self.now += self.request_s

    def __call__(self) -> float:
        return self.now


class NoTimeToScore:
    """Records the time limit of each scoring, and never finishes within it."""

    def __init__(self) -> None:
        self.time_limits_s: list[float] = []

    def __call__(self, file, config, /, *, time_limit_s):
        self.time_limits_s.append(time_limit_s)
        raise OutOfTime("The scoring of this test.")


@pytest.fixture
def score() -> NoTimeToScore:
    return NoTimeToScore()


def scorer(score: NoTimeToScore, *, request_s: float = 0.0, prefix: str = "") -> ObjectScorer:
    """A scorer for a bucket with one object. Each request to S3 takes ``request_s``."""
    clock = Clock(request_s)
    s3 = MemoryS3(clock.advance)
    s3.put(INCOMING, REF.key, b"sound")
    settings = Settings(incoming_bucket=INCOMING, incoming_prefix=prefix, results_bucket=RESULTS)
    return ObjectScorer(settings, S3Client(s3), score=score, clock=clock)


def test_a_large_object_is_tried_only_with_full_time_and_still_ends_in_time(score):
    with pytest.raises(OutOfTime, match="of this invocation are left"):
        scorer(score).process(BIG, Attempt(time_left_s=60))
    assert score.time_limits_s == []
    with pytest.raises(OutOfTime, match="of this test"):
        scorer(score).process(BIG, Attempt(time_left_s=60, has_full_time=True))
    assert score.time_limits_s == [60 - OVERHEAD_S]


def test_an_object_with_exactly_the_overhead_left_is_postponed(score):
    """No time for the decoder is no limit on it: ScorerConfig takes only limits above 0."""
    with pytest.raises(OutOfTime, match="of this invocation are left"):
        scorer(score).process(REF, Attempt(time_left_s=OVERHEAD_S, rescore=True))
    assert score.time_limits_s == []


def test_the_download_reduces_the_time_for_scoring(score):
    attempt = Attempt(time_left_s=15, rescore=True)
    with pytest.raises(OutOfTime, match="of this test"):
        scorer(score, request_s=5).process(REF, attempt)
    assert score.time_limits_s == [15 - 5 - OVERHEAD_S]
    with pytest.raises(OutOfTime, match="2 s are needed, and 1 s of this invocation are left"):
        scorer(score, request_s=14).process(REF, attempt)


def test_an_object_outside_the_incoming_prefix_is_not_requested(score):
    requests_would_take_too_long = scorer(score, request_s=float("inf"), prefix="sales/")
    with pytest.raises(BadRequest, match="is not under the incoming prefix sales/"):
        requests_would_take_too_long.process(REF)
    with pytest.raises(OutOfTime, match="of this test"):
        scorer(score, prefix="calls/").process(REF, Attempt(time_left_s=60))
    assert len(score.time_limits_s) == 1
