"""Scores an object in S3 and stores exactly one result: a report or error record of its newest version."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, Literal, Protocol

from aqscore.aws import metrics
from aqscore.aws.advice import advice_in_aws
from aqscore.aws.invocation import Attempt
from aqscore.aws.notifications import Notification, Notifier
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.result_store import ResultKind, ResultStore, StoredResult
from aqscore.aws.s3 import S3Client
from aqscore.aws.settings import Settings
from aqscore.config import ScorerConfig
from aqscore.deadline import Deadline
from aqscore.errors import (
    AqscoreError,
    AttemptLost,
    BadRequest,
    ObjectNotFound,
    OutOfTime,
    PermanentError,
    ScoringTooSlow,
    SetupError,
    Superseded,
)
from aqscore.pipeline import ScoreOptions, score_recording
from aqscore.report import ErrorInfo, ErrorRecord, ObjectSource, Report, Scored, read_document

# The time that an object is expected to take: OVERHEAD_S, and 1 s more for each BYTES_PER_S bytes.
# docs/decisions/0042 says how that was measured.
OVERHEAD_S = 2.0
BYTES_PER_S = 1_000_000
# An object that had this share of a fresh invocation for its scoring gets no more in another one. A download
# that took more of it was unusually slow.
SCORING_SHARE = 0.75
REDRIVE = "Then send the message back from the dead-letter queue: see the output Redrive."


class Scoring(Protocol):
    """Scores an open file within ``time_limit_s`` seconds, as aqscore.pipeline.score_recording does."""

    def __call__(self, file: BinaryIO, config: ScorerConfig, /, *, time_limit_s: float) -> Scored: ...


@dataclass(frozen=True)
class Outcome:
    """What happened to an object. ``document`` is the result if this attempt made one."""

    state: Literal["scored", "refused", "duplicate", "superseded", "ignored"]
    result_key: str | None
    document: Report | ErrorRecord | None = None
    modified: datetime | None = None


class ObjectScorer:
    """Scores objects of any bucket that the function may read, and stores results in the results bucket."""

    def __init__(
        self,
        settings: Settings,
        s3: S3Client,
        notifier: Notifier | None = None,
        *,
        score: Scoring | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``score`` is by default the pipeline, with the channels and the track of the settings.

        ``clock`` returns seconds from any fixed point. Raises SetupError without a results bucket.
        """
        if not settings.results_bucket:
            raise SetupError(
                "AQSCORE_RESULTS_BUCKET is not set, expected the name of the bucket for results.",
                advice="Set it to the stack's output ResultsBucketName.",
            )
        self._settings = settings
        self._client = s3
        self._results = ResultStore(s3, settings.results_bucket, settings.results_prefix)
        self._results_bucket = settings.results_bucket
        self._notifier = notifier
        self._score = score or _scoring(ScoreOptions(settings.channels, track=settings.track))
        self._clock = clock

    def process(self, ref: ObjectRef, attempt: Attempt = Attempt()) -> Outcome:  # noqa: B008 - frozen
        """Scores the object, stores the result, and sends a notification of it. Logs what happened.

        A PermanentError of the recording becomes an error record. An object whose version has a result
        already is not scored, unless ``attempt.rescore``. Its notification is sent again: whether an earlier
        one arrived is unknown. The empty object that stands for a folder is ignored.

        Raises BadRequest when the object is itself a result or is outside the incoming prefix; OutOfTime
        when it needs more time than the attempt has; AnnouncementFailed when the result is stored and the
        notification failed; other RetryableErrors. The last delivery of an event leaves an error record then.
        """
        started = self._clock()
        try:
            outcome = self._process(ref, attempt)
            self._notify(outcome)
        except BadRequest as error:
            metrics.record_error("Event dropped", error, ref.as_source())
            raise
        except Exception as error:
            if isinstance(error, OutOfTime) and not self._is_last(attempt):
                metrics.record_postponed(error, ref.as_source())
            else:
                metrics.record_failed(error, ref.as_source(), self._clock() - started)
            if self._is_last(attempt):
                with suppress(Exception):  # S3 may be the reason; the message becomes a dead letter
                    self._notify(self._give_up(ref, attempt, error))
            raise
        spent_s = self._clock() - started
        metrics.record_processed(
            outcome.state, ref.as_source(), spent_s, outcome.document, _age_s(ref, outcome)
        )
        return outcome

    def _process(self, ref: ObjectRef, attempt: Attempt) -> Outcome:
        self._check_location(ref)
        if self._is_folder(ref):
            return Outcome("ignored", None)
        deadline = self._clock() + attempt.time_left_s
        _check_time(0, attempt.time_left_s)
        if not attempt.rescore:
            present = self._results.find(ref)
            if present and not (ref.version_id or ref.etag):
                ref = self._client.current(ref) or ref
            if present and (outcome := self._settled(ref, present)):
                return outcome
        if self._is_last(attempt):  # the record that stays if this process is killed
            self._give_up(ref, attempt, AttemptLost("The last one ended without an answer."))
        if not attempt.has_full_time:
            _check_time(ref.size_bytes or 0, attempt.time_left_s)
        try:
            document, ref = self._document(ref, attempt, deadline)
        except Superseded:
            return Outcome("superseded", None)
        return self._store(document, ref)

    def _check_location(self, ref: ObjectRef) -> None:
        """Raises BadRequest for an object that must not be scored.

        Scoring results would never end, because each result would bring the next. The role can't read
        objects outside the incoming prefix: S3 would deny access, and retries would not help.
        """
        if ref.bucket == self._results_bucket and ref.key.startswith(self._settings.results_prefix):
            raise BadRequest(
                f"s3://{ref.bucket}/{ref.key} is under the prefix of results, expected a recording.",
                advice="Send no events of the results bucket to this function.",
            )
        prefix = self._settings.incoming_prefix
        if ref.bucket == self._settings.incoming_bucket and not ref.key.startswith(prefix):
            raise BadRequest(
                f"s3://{ref.bucket}/{ref.key} is not under the incoming prefix {prefix}.",
                advice="Move it there, or change the stack's IncomingPrefix.",
            )

    def _is_folder(self, ref: ObjectRef) -> bool:
        """Whether this is the empty object by which the console and other tools show a folder."""
        if not ref.key.endswith("/"):
            return False
        known = ref if ref.size_bytes is not None else self._client.current(ref)
        return known is not None and known.size_bytes == 0

    def _settled(self, ref: ObjectRef, present: StoredResult) -> Outcome | None:
        """The outcome for an object that needs no scoring because of the present result; None for others."""
        if ref.is_same_version(present.source):
            is_archived = ref.restored and present.kind is ResultKind.ERROR_RECORD
            return Outcome("duplicate", present.key) if present.final and not is_archived else None
        if present.source.is_older_than(ref) or not self._results.is_outdated(ref, by=present.source):
            return None
        return Outcome("superseded", None)

    def _document(
        self, ref: ObjectRef, attempt: Attempt, deadline: float
    ) -> tuple[Report | ErrorRecord, ObjectRef]:
        """Downloads and scores the object. Returns the result, and the version that it is for.

        Raises Superseded when the version is gone and another one is current.
        """
        try:
            with self._client.open(ref, self._settings.scorer.limits.max_bytes) as (file, ref):
                scored = self._score_before(deadline, attempt, file)
            return Report(source=ObjectSource(**ref.as_source()), **dict(scored)), ref
        except PermanentError as error:
            if isinstance(error, ObjectNotFound) and self._client.current(ref):
                raise Superseded(f"{error.message} Another version is current.") from error
            source = ObjectSource(**ref.as_source())
            return ErrorRecord.of(error, source, advice=advice_in_aws(error)), ref

    def _score_before(self, deadline: float, attempt: Attempt, file: BinaryIO) -> Scored:
        """Scores the file, and stops in time to store the result, even if the decoder hangs.

        Raises OutOfTime when another invocation would have more time, ScoringTooSlow when none would.
        """
        time_left_s = deadline - self._clock()
        _check_time(0, time_left_s)  # the download may have taken all of it
        time_left_s -= OVERHEAD_S
        try:
            return self._score(file, self._settings.scorer, time_limit_s=time_left_s)
        except OutOfTime as error:
            if attempt.has_full_time and time_left_s >= SCORING_SHARE * attempt.time_left_s:
                raise ScoringTooSlow(f"{error.message} No other call would have more time.") from error
            raise

    def _store(self, document: Report | ErrorRecord, ref: ObjectRef) -> Outcome:
        is_report = isinstance(document, Report)
        kind = ResultKind.REPORT if is_report else ResultKind.ERROR_RECORD
        if not self._results.write(ref.key, kind, document.model_dump_json().encode(), ref):
            return Outcome("superseded", None)
        state: Literal["scored", "refused"] = "scored" if is_report else "refused"
        return Outcome(state, self._results.key(ref.key, kind), document, ref.modified)

    def _is_last(self, attempt: Attempt) -> bool:
        """Whether the event is not delivered again if this attempt fails."""
        limit = self._settings.max_deliveries
        return limit is not None and attempt.delivery is not None and attempt.delivery >= limit

    def _give_up(self, ref: ObjectRef, attempt: Attempt, reason: Exception) -> Outcome:
        """Stores an error record for an attempt that is the last one, unless there is a result already.

        A later attempt replaces the record: an operator may correct the cause.
        """
        if not (ref.version_id or ref.etag):
            ref = self._client.current(ref) or ref
        error = reason if isinstance(reason, AqscoreError) else AqscoreError(f"{reason!r}.")
        info = ErrorInfo(
            type=error.type,
            message=f"Gave up after {attempt.delivery} attempts. {error.message}",
            advice=f"{advice_in_aws(error)} {REDRIVE}",
            retryable=True,
        )
        record = ErrorRecord(source=ObjectSource(**ref.as_source()), error=info)
        kind = ResultKind.ERROR_RECORD
        if not self._results.write(ref.key, kind, record.model_dump_json().encode(), ref, final=False):
            return Outcome("superseded", None)
        return Outcome("refused", self._results.key(ref.key, kind), record)

    def _notify(self, outcome: Outcome) -> None:
        """Sends a notification of the result, whether this attempt made it or found it."""
        if self._notifier is None or outcome.result_key is None:
            return
        document = outcome.document
        if document is None:
            stored = self._results.read(outcome.result_key)
            if stored is None:
                return  # replaced by a newer version's result, which has its own notification
            document = read_document(stored)
        self._notifier.notify(Notification.of(document, self._results_bucket, outcome.result_key))


def _check_time(size_bytes: int, time_left_s: float) -> None:
    needed_s = OVERHEAD_S + size_bytes / BYTES_PER_S
    if needed_s >= time_left_s:  # a decoding time of 0 is no limit that ScorerConfig takes
        raise OutOfTime(f"{needed_s:.0f} s are needed, and {time_left_s:.0f} s of this invocation are left.")


def _age_s(ref: ObjectRef, outcome: Outcome) -> float | None:
    """Seconds from the upload to now. None without an event: other calls may come years after the upload."""
    if outcome.modified is None or ref.sequencer is None:
        return None
    return (datetime.now(UTC) - outcome.modified).total_seconds()


def _scoring(options: ScoreOptions) -> Scoring:
    def score(file: BinaryIO, config: ScorerConfig, /, *, time_limit_s: float) -> Scored:
        return score_recording(file, config, options, Deadline(time_limit_s))

    return score
