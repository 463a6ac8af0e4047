"""One object in, exactly one result out: a report, or an error record, for the newest version."""

import math
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import BinaryIO, Literal

from aqscore.aws import metrics as telemetry
from aqscore.aws.notifications import Announcement, Announcer
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.settings import Settings
from aqscore.aws.storage import Storage
from aqscore.errors import BadRequest, DecodingTooSlow, OutOfTime, PermanentError, SetupError, Superseded
from aqscore.pipeline import score_file
from aqscore.report import ErrorRecord, ObjectSource, Report, Scored, read_document

# What a file is expected to take, by its size; docs/decisions/0042 tells how that was measured.
LEAST_S = 2.0
BYTES_PER_S = 1_000_000


@dataclass(frozen=True)
class Outcome:
    """What became of an object. ``document`` is the result if this call made one."""

    state: Literal["scored", "refused", "duplicate", "superseded"]
    result_key: str | None
    document: Report | ErrorRecord | None = None
    modified: datetime | None = None


class ObjectScorer:
    """Scores objects of any bucket that the function may read, into the results bucket."""

    def __init__(self, settings: Settings, storage: Storage, announcer: Announcer | None = None) -> None:
        if not settings.results_bucket:
            raise SetupError(
                "AQSCORE_RESULTS_BUCKET is not set, expected the name of the bucket for results.",
                advice="Set it to the stack's output ResultsBucketName.",
            )
        self._settings = settings
        self._storage = storage
        self._announcer = announcer
        self._bucket = settings.results_bucket

    def process(
        self,
        ref: ObjectRef,
        *,
        again: bool = False,
        is_first_try: bool = False,
        left_s: float = math.inf,
        is_fresh_call: bool = False,
    ) -> Outcome:
        """Scores the object and stores the result, unless that version has one (``again``: even then).

        ``is_first_try`` says that nobody died over the same message, and may have left two results.
        ``is_fresh_call`` says that no later call would have more time, so that the object is tried
        whatever its size. What is the file's fault becomes an error record. Raises BadRequest when the
        object is itself a result or outside the incoming prefix, OutOfTime when it would take or takes
        longer than ``left_s`` seconds, other RetryableErrors:
        AnnouncementFailed when the result is there and nobody was told. The next try finds the result,
        and only tells of it.
        """
        started = time.monotonic()
        try:
            outcome = self._process(ref, again, is_first_try, left_s, is_fresh_call)
            self._announce(outcome)
        except OutOfTime as error:
            telemetry.file_postponed(error, ref.as_source())
            raise
        except BadRequest as error:
            telemetry.failed("Event dropped", error, ref.as_source())
            raise
        except Exception as error:
            telemetry.file_failed(error, ref.as_source(), time.monotonic() - started)
            raise
        age_s = None
        if outcome.modified and ref.sequencer:  # of an event; other calls may come years after the upload
            age_s = (datetime.now(UTC) - outcome.modified).total_seconds()
        spent_s = time.monotonic() - started
        telemetry.file_done(outcome.state, ref.as_source(), spent_s, outcome.document, age_s)
        return outcome

    def _process(
        self, ref: ObjectRef, again: bool, is_first_try: bool, left_s: float, is_fresh_call: bool
    ) -> Outcome:
        self._refuse_results(ref)
        self._refuse_others(ref)
        _check_time(0, left_s)
        until = time.monotonic() + left_s
        report_key, error_key = self._settings.result_keys(ref.key)
        if not again:
            if not is_first_try:
                self._storage.leave_one(self._bucket, report_key, error_key)
            present = self._storage.find_result(self._bucket, (report_key, error_key))
            if present and not (ref.version_id or ref.etag):
                ref = self._storage.current(ref)
            if present and ref.is_same_version(present.source):
                return Outcome("duplicate", present.key)
            if present and ref.is_older_than(present.source):
                return Outcome("superseded", None)
        if not is_fresh_call:
            _check_time(ref.size_bytes or 0, left_s)
        document: Report | ErrorRecord
        try:
            with self._storage.open(ref, self._settings.scorer.limits.max_bytes) as (file, ref):
                scored = self._score(file, until)
            document = Report(source=ObjectSource(**ref.as_source()), **dict(scored))
        except PermanentError as error:
            document = ErrorRecord.of(error, ObjectSource(**ref.as_source()))
        except Superseded:
            return Outcome("superseded", None)
        refused = isinstance(document, ErrorRecord)
        key, other_key = (error_key, report_key) if refused else (report_key, error_key)
        body = document.model_dump_json().encode()
        if not self._storage.put_result(self._bucket, key, other_key, body, ref):
            return Outcome("superseded", None)
        return Outcome("refused" if refused else "scored", key, document, ref.modified)

    def _score(self, file: BinaryIO, until: float) -> Scored:
        """What can't be done in time must not take the call with it, nor must a decoder that hangs."""
        limits = self._settings.scorer.limits
        left_s = until - time.monotonic()
        _check_time(0, left_s)  # the download may have taken all of it
        left_s -= LEAST_S
        within = replace(limits, max_decode_s=min(limits.max_decode_s, left_s))
        try:
            return score_file(file, replace(self._settings.scorer, limits=within), time_limit_s=left_s)
        except DecodingTooSlow as error:
            if left_s >= limits.max_decode_s:
                raise
            raise OutOfTime(f"Decoding takes longer than the {left_s:.0f} s that it could have.") from error

    def _announce(self, outcome: Outcome) -> None:
        """Tells of the result, again when it was there: nobody knows whether the first time came through."""
        if self._announcer is None or outcome.result_key is None:
            return
        document = outcome.document
        if document is None:
            stored = self._storage.read_result(self._bucket, (outcome.result_key,))
            if stored is None:
                return  # a newer version's result has taken its place, and is announced by itself
            document = read_document(stored)
        self._announcer.announce(Announcement.of(document, self._bucket, outcome.result_key))

    def _refuse_results(self, ref: ObjectRef) -> None:
        """Scoring results would never end: each would bring the next."""
        if ref.bucket == self._bucket and ref.key.startswith(self._settings.results_prefix):
            raise BadRequest(
                f"s3://{ref.bucket}/{ref.key} lies where results are written, expected a recording.",
                advice="Send no events of the results bucket to this function.",
            )

    def _refuse_others(self, ref: ObjectRef) -> None:
        """S3 would deny them, as it does when it is out of order for a while: not to be tried again."""
        prefix = self._settings.incoming_prefix
        if ref.bucket == self._settings.incoming_bucket and not ref.key.startswith(prefix):
            raise BadRequest(
                f"s3://{ref.bucket}/{ref.key} is not under {prefix}, where recordings lie.",
                advice="Move it there, or widen the stack's IncomingPrefix.",
            )


def _check_time(size_bytes: int, left_s: float) -> None:
    needed_s = LEAST_S + size_bytes / BYTES_PER_S
    if needed_s > left_s:
        raise OutOfTime(f"{needed_s:.0f} s are needed, {left_s:.0f} s are left of this call.")
