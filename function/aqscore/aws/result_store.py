"""The result store: one result for each recording, in S3, that of the recording's newest version.

Many writers may work on one recording at once. docs/decisions/0002 explains why no database is needed.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.s3 import S3Client
from aqscore.errors import StorageUnavailable

WRITE_TRIES = 8


class ResultKind(Enum):
    """The kinds of a result, each with the ending of its key."""

    REPORT = ".json"
    ERROR_RECORD = ".error.json"

    @property
    def other(self) -> "ResultKind":
        return ResultKind.ERROR_RECORD if self is ResultKind.REPORT else ResultKind.REPORT


MAX_STEM_BYTES = 1024 - len(ResultKind.ERROR_RECORD.value)  # S3 allows keys of 1,024 bytes of UTF-8


def result_key(prefix: str, recording_key: str, kind: ResultKind) -> str:
    """The key of a recording's result: ``prefix``, the recording's key, and the ending of its kind.

    No two recordings share a result's key. The report of a recording called NAME.error would have the key
    of NAME's error record, so NAME.error becomes NAME.error~, and NAME.error~ becomes NAME.error~~. A name
    too long for S3 is cut, and its hash is added.
    """
    stem = (prefix + re.sub(r"\.error~*$", r"\g<0>~", recording_key)).encode()
    if len(stem) > MAX_STEM_BYTES:
        stem = stem[: MAX_STEM_BYTES - 65] + b"~" + hashlib.sha256(stem).hexdigest().encode()
    return stem.decode(errors="ignore") + kind.value


@dataclass(frozen=True)
class StoredResult:
    """A result in the bucket, and the version of the recording that it is for."""

    kind: ResultKind
    key: str
    etag: str
    version_id: str | None
    source: ObjectRef


class ResultStore:
    """The results in one bucket under one prefix. Recordings are named by their keys.

    The bucket needs versioning: a result is deleted by its version id, so that a newer one, written at
    the same moment, stays. All methods raise StorageUnavailable when S3 fails.
    """

    def __init__(self, s3: S3Client, bucket: str, prefix: str = "") -> None:
        self._client = s3
        self._bucket = bucket
        self._prefix = prefix

    def key(self, recording_key: str, kind: ResultKind) -> str:
        """The key of a recording's result of that kind, whether or not there is one."""
        return result_key(self._prefix, recording_key, kind)

    def find(self, recording_key: str) -> StoredResult | None:
        """The recording's result: one HEAD for a report, two for an error record."""
        for kind in ResultKind:
            if result := self._find(recording_key, kind):
                return result
        return None

    def read(self, key: str) -> bytes | None:
        """The stored document under a result's key; None if there is none."""
        return self._client.read(self._bucket, key)

    def write(self, recording_key: str, kind: ResultKind, body: bytes, source: ObjectRef) -> bool:
        """Stores a result for the version ``source`` unless there is one for a newer version.

        Returns False if a result for a newer version stays, or took its place meanwhile.
        """
        key = self.key(recording_key, kind)
        for _ in range(WRITE_TRIES):
            present = self._find(recording_key, kind)
            if present and self._is_outdated(source, by=present.source):
                return False
            answer = self._client.put_json_if(
                self._bucket, key, body, _metadata_of(source), etag=present.etag if present else None
            )
            if answer is not None:
                written = StoredResult(kind, key, answer["ETag"], answer.get("VersionId"), source)
                return self._stays(recording_key, written)
        raise StorageUnavailable(
            f"s3://{self._bucket}/{key} was changed {WRITE_TRIES} times while it was being written."
        )

    def delete_outdated(self, recording_key: str) -> None:
        """Deletes the older result if a recording has both a report and an error record.

        A process that ended between its write and the check for the other kind may have left two.
        """
        if report := self._find(recording_key, ResultKind.REPORT):
            self._stays(recording_key, report)

    def _stays(self, recording_key: str, written: StoredResult) -> bool:
        """Deletes the older of ``written`` and the result of the other kind. True if ``written`` stays.

        Every writer checks after its write, so the last one sees both results.
        """
        while other := self._find(recording_key, written.kind.other):
            if self._precedes(written, other):
                self._client.delete(self._bucket, other.key, other.version_id)
            else:
                self._client.delete(self._bucket, written.key, written.version_id)
                return False
        return True

    def _precedes(self, written: StoredResult, other: StoredResult) -> bool:
        """Whether ``written`` stays rather than ``other``. For one version the report stays, always."""
        if written.source.is_same_version(other.source):
            return written.kind is ResultKind.REPORT
        return not self._is_outdated(written.source, by=other.source)

    def _is_outdated(self, source: ObjectRef, *, by: ObjectRef) -> bool:
        """Whether a result for ``source`` must be replaced by one for the other version.

        Sequencers and times may not decide: a direct call has no sequencer, and times are whole seconds.
        Then the current version of the object does, by a HEAD.
        """
        if source.is_older_than(by):
            return True
        if by.is_older_than(source) or source.is_same_version(by) or not source.version_id:
            return False
        return self._client.current(source).version_id != source.version_id

    def _find(self, recording_key: str, kind: ResultKind) -> StoredResult | None:
        key = self.key(recording_key, kind)
        answer = self._client.head(self._bucket, key)
        if answer is None:
            return None
        return StoredResult(
            kind, key, answer["ETag"], answer.get("VersionId"), _source_in(answer["Metadata"])
        )


def _metadata_of(source: ObjectRef) -> dict[str, str]:
    """The version as user metadata, which must be ASCII. The recording's key follows from the result's."""
    values = {
        "source-version-id": source.version_id,
        "source-etag": source.etag,
        "source-sequencer": source.sequencer,
        "source-modified": source.modified and source.modified.astimezone(UTC).isoformat(),
    }
    return {name: value for name, value in values.items() if value}


def _source_in(metadata: dict[str, str]) -> ObjectRef:
    modified = metadata.get("source-modified")
    return ObjectRef(
        bucket="",
        key="",
        version_id=metadata.get("source-version-id"),
        etag=metadata.get("source-etag"),
        sequencer=metadata.get("source-sequencer"),
        modified=datetime.fromisoformat(modified) if modified else None,
    )
