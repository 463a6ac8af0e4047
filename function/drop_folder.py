"""One object in, exactly one result out: a report, or an error record, for the newest version."""

import logging
from dataclasses import dataclass
from typing import Literal

from function.errors import BadRequest, PermanentError, SetupError, Superseded
from function.report import ErrorRecord, ObjectSource, Report
from function.scoring import score
from function.settings import Settings
from function.storage import ObjectRef, Storage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of an object. ``document`` is the result if this call made one."""

    state: Literal["scored", "refused", "duplicate", "superseded"]
    result_key: str | None
    document: Report | ErrorRecord | None = None


class DropFolder:
    """Scores objects of any bucket that the function may read, into the results bucket."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        if not settings.results_bucket:
            raise SetupError(
                "AQSCORE_RESULTS_BUCKET is not set, expected the name of the bucket for results.",
                advice="Set it to the stack's output ResultsBucketName.",
            )
        self._settings = settings
        self._storage = storage
        self._bucket = settings.results_bucket

    def process(self, ref: ObjectRef, *, again: bool = False) -> Outcome:
        """Scores the object and stores the result, unless that version has one (``again``: even then).

        What is the file's fault becomes an error record. Raises RetryableErrors, and BadRequest when
        the object is itself a result.
        """
        self._refuse_results(ref)
        report_key, error_key = self._settings.result_keys(ref.key)
        if not again:
            present = self._storage.find_result(self._bucket, (report_key, error_key))
            if present and ref.is_same_version(present.source):
                return Outcome("duplicate", present.key)
            if present and ref.is_older_than(present.source):
                return Outcome("superseded", None)
        document: Report | ErrorRecord
        try:
            with self._storage.open(ref, self._settings.limits.max_bytes) as (file, ref):
                scored = score(file, self._settings)
            document = Report(source=ObjectSource(**ref.as_source()), **dict(scored))
        except PermanentError as error:
            document = ErrorRecord.of(error, ObjectSource(**ref.as_source()))
        except Superseded as error:
            log.info("%s", error.message)
            return Outcome("superseded", None)
        refused = isinstance(document, ErrorRecord)
        key, other_key = (error_key, report_key) if refused else (report_key, error_key)
        body = document.model_dump_json().encode()
        if not self._storage.put_result(self._bucket, key, other_key, body, ref):
            return Outcome("superseded", None)
        return Outcome("refused" if refused else "scored", key, document)

    def _refuse_results(self, ref: ObjectRef) -> None:
        """Scoring results would never end: each would bring the next."""
        if ref.bucket == self._bucket and ref.key.startswith(self._settings.results_prefix):
            raise BadRequest(
                f"s3://{ref.bucket}/{ref.key} lies where results are written, expected a recording.",
                advice="Send no events of the results bucket to this function.",
            )
