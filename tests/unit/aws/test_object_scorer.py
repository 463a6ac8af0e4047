"""aqscore.aws.object_scorer against a model of S3: limits of time, the last delivery, the current version."""

import json
from collections.abc import Callable

import pytest

from aqscore.aws.invocation import Attempt
from aqscore.aws.notifications import Notifier
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import OVERHEAD_S, ObjectScorer, Scoring
from aqscore.aws.s3 import S3Client
from aqscore.aws.settings import Settings
from aqscore.errors import AnnouncementFailed, BadRequest, DecoderLost, EmptyFile, OutOfTime
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


def scorer(
    score: Scoring,
    *,
    request_s: float = 0.0,
    prefix: str = "",
    s3: MemoryS3 | None = None,
    notifier: Notifier | None = None,
) -> ObjectScorer:
    """A scorer for a bucket with one object, or for ``s3``. Each request to S3 takes ``request_s``."""
    clock = Clock(request_s)
    if s3 is None:
        s3 = MemoryS3(clock.advance)
        s3.put(INCOMING, REF.key, b"sound")
    settings = Settings(
        incoming_bucket=INCOMING, incoming_prefix=prefix, results_bucket=RESULTS, max_deliveries=5
    )
    return ObjectScorer(settings, S3Client(s3), notifier, score=score, clock=clock)


def test_a_large_object_is_tried_only_with_full_time_and_still_ends_in_time(score):
    with pytest.raises(OutOfTime, match="of this invocation are left"):
        scorer(score).process(BIG, Attempt(time_left_s=60))
    assert score.time_limits_s == []
    scorer(score).process(BIG, Attempt(time_left_s=60, has_full_time=True))
    assert score.time_limits_s == [60 - OVERHEAD_S]


def test_what_a_fresh_call_cannot_score_has_an_error_record(score):
    """No later call would have more time, so that a retry would never end."""
    record = scorer(score).process(REF, Attempt(time_left_s=60, has_full_time=True)).document
    assert (record.error.type, record.error.retryable) == ("limit_exceeded", False)
    assert "No other call would have more time" in record.error.message
    assert "Timeout" in record.error.advice


def test_a_slow_download_is_no_property_of_the_recording(score):
    with pytest.raises(OutOfTime, match="of this test"):
        scorer(score, request_s=10).process(REF, Attempt(time_left_s=60, has_full_time=True))


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


@pytest.mark.parametrize("size", [0, None])
def test_the_empty_object_of_a_folder_is_ignored(score, size):
    s3 = MemoryS3(lambda: None)
    s3.put(INCOMING, "calls/", b"")
    folder = ObjectRef(INCOMING, "calls/", size_bytes=size)
    assert scorer(score, s3=s3).process(folder).state == "ignored"
    assert s3.keys(RESULTS) == []


def test_a_recording_whose_name_ends_like_that_of_a_folder_is_scored(score):
    s3 = MemoryS3(lambda: None)
    s3.put(INCOMING, "calls/", b"sound")
    with pytest.raises(OutOfTime, match="of this test"):
        scorer(score, s3=s3).process(ObjectRef(INCOMING, "calls/"))


LAST = Attempt(delivery=5, time_left_s=60)


class Killed(BaseException):
    """The end of the process, as far as a test can have it."""


class Raises:
    """A scoring that fails in this way."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self, file, config, /, *, time_limit_s):
        raise self.error


def records_in(s3: MemoryS3) -> list[tuple[str, str, bool]]:
    """The error records: type, message and whether a retry may help."""
    errors = [json.loads(s3.newest(RESULTS, key)["content"])["error"] for key in s3.keys(RESULTS)]
    return [(each["type"], each["message"], each["retryable"]) for each in errors]


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (DecoderLost("The decoder ended."), "decoder_lost", "Gave up after 5 attempts. The decoder ended."),
        (OutOfTime("Too long."), "out_of_time", "Gave up after 5 attempts. Too long."),
        (ZeroDivisionError("x"), "internal_error", "Gave up after 5 attempts. ZeroDivisionError('x')."),
        (Killed(), "attempt_lost", "Gave up after 5 attempts. The last one ended without an answer."),
    ],
)
def test_the_last_delivery_leaves_an_error_record_whatever_ends_it(error, kind, message):
    """It fails nevertheless, so that its message becomes a dead letter and an operator learns of it."""
    s3 = MemoryS3(lambda: None)
    s3.put(INCOMING, REF.key, b"sound")
    for delivery in range(1, 5):
        with pytest.raises(type(error)):
            scorer(Raises(error), s3=s3).process(REF, Attempt(delivery=delivery, time_left_s=60))
        assert s3.keys(RESULTS) == []
    with pytest.raises(type(error)):
        scorer(Raises(error), s3=s3).process(REF, LAST)
    assert records_in(s3) == [(kind, message, True)]


def test_after_the_cause_is_corrected_the_record_is_replaced():
    s3 = MemoryS3(lambda: None)
    s3.put(INCOMING, REF.key, b"sound")
    with pytest.raises(Killed):
        scorer(Raises(Killed()), s3=s3).process(REF, LAST)
    redriven = scorer(Raises(EmptyFile("It is empty.")), s3=s3)
    assert redriven.process(REF, Attempt(delivery=1)).state == "refused"
    assert records_in(s3) == [("empty_file", "It is empty.", False)]
    assert redriven.process(REF, Attempt(delivery=2)).state == "duplicate"


def test_giving_up_replaces_no_result_of_the_same_version():
    """Two deliveries of one event at once: one has stored its result when the other one gives up."""
    s3 = MemoryS3(lambda: None)
    s3.put(INCOMING, REF.key, b"sound")

    def finished_by_another(file, config, /, *, time_limit_s):
        scorer(Raises(EmptyFile("It is empty.")), s3=s3).process(REF)
        raise DecoderLost("The decoder ended.")

    with pytest.raises(DecoderLost):
        scorer(finished_by_another, s3=s3).process(REF, LAST)
    assert records_in(s3) == [("empty_file", "It is empty.", False)]


class Announcements:
    """Records the notifications; the first of them fail."""

    def __init__(self, failures: int = 0) -> None:
        self.states: list[str] = []
        self._failures = failures

    def notify(self, notification) -> None:
        if self._failures:
            self._failures -= 1
            raise AnnouncementFailed("The topic is gone.")
        self.states.append(f"{notification.state} {notification.error.type}")


def test_giving_up_is_announced_once():
    announcements = Announcements()
    with pytest.raises(DecoderLost):
        scorer(Raises(DecoderLost("It ended.")), notifier=announcements).process(REF, LAST)
    assert announcements.states == ["refused decoder_lost"]


def test_a_notification_that_fails_at_last_leaves_the_result():
    s3 = MemoryS3(lambda: None)
    s3.put(INCOMING, REF.key, b"sound")
    with pytest.raises(AnnouncementFailed):
        scorer(Raises(EmptyFile("It is empty.")), s3=s3, notifier=Announcements(1)).process(REF, LAST)
    assert records_in(s3) == [("empty_file", "It is empty.", False)]


def versions(s3: MemoryS3, *bodies: bytes) -> list[ObjectRef]:
    """Uploads versions of one object; the references that their events would contain."""
    refs = []
    for number, body in enumerate(bodies):
        put = s3.put(INCOMING, REF.key, body)
        etag = put["ETag"].strip('"')
        refs.append(ObjectRef(INCOMING, REF.key, put["VersionId"], etag, f"{number:04X}", len(body)))
    return refs


def source_of_result(s3: MemoryS3) -> str:
    [key] = s3.keys(RESULTS)
    return json.loads(s3.newest(RESULTS, key)["content"])["source"]["version_id"]


@pytest.mark.parametrize("name", [lambda older: older, lambda older: REF], ids=["its version", "no version"])
@pytest.mark.parametrize("rescore", [False, True])
def test_an_older_version_that_is_current_again_is_scored(name: Callable, rescore: bool):
    s3 = MemoryS3(lambda: None)
    older, newer = versions(s3, b"one", b"two")
    subject = scorer(Raises(EmptyFile("It is empty.")), s3=s3)
    assert subject.process(newer).state == "refused"
    assert subject.process(older).state == "superseded"
    s3.delete_object(INCOMING, REF.key, newer.version_id)
    assert subject.process(name(older), Attempt(rescore=rescore)).state == "refused"
    assert source_of_result(s3) == older.version_id
    assert subject.process(newer).state == "superseded"
    assert source_of_result(s3) == older.version_id


def test_a_version_that_is_deleted_before_its_event_leaves_the_current_ones_result():
    s3 = MemoryS3(lambda: None)
    older, newer = versions(s3, b"one", b"two")
    subject = scorer(Raises(EmptyFile("It is empty.")), s3=s3)
    s3.delete_object(INCOMING, REF.key, newer.version_id)
    assert [subject.process(ref).state for ref in (newer, older, newer)] == [
        "superseded", "refused", "superseded",
    ]  # fmt: skip
    assert source_of_result(s3) == older.version_id
