"""The result store: one result for each recording, in S3, that of the recording's newest version.

Many writers may work on one recording at once. docs/decisions/0002 explains why no database is needed.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum

from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.s3 import S3Client
from aqscore.errors import StorageUnavailable

WRITE_TRIES = 8
NOT_FINAL = {"final": "false"}  # the user metadata of a result that a later attempt replaces


class ResultKind(Enum):
    """The kinds of a result, each with the ending of its key."""

    REPORT = ".json"
    ERROR_RECORD = ".error.json"

    @property
    def other(self) -> "ResultKind":
        return ResultKind.ERROR_RECORD if self is ResultKind.REPORT else ResultKind.REPORT


MAX_STEM_BYTES = 1024 - len(ResultKind.ERROR_RECORD.value)  # S3 allows keys of 1,024 bytes of UTF-8
MAX_CHARACTER_BYTES = 4  # in UTF-8; a cut through a character drops its other bytes
HASHED = re.compile(rb"~[0-9a-f]{64}$")


def result_key(prefix: str, recording_key: str, kind: ResultKind) -> str:
    """The key of a recording's result: ``prefix``, the recording's key, and the ending of its kind.

    No two recordings share a result's key. The report of a recording called NAME.error would have the key
    of NAME's error record, so NAME.error becomes NAME.error~, and NAME.error~ becomes NAME.error~~. A name
    too long for S3 is cut, and its hash is added; so is a name that looks like one with a hash.
    """
    stem = (prefix + re.sub(r"\.error~*$", r"\g<0>~", recording_key)).encode()
    looks_hashed = len(stem) > MAX_STEM_BYTES - MAX_CHARACTER_BYTES and HASHED.search(stem)
    if len(stem) > MAX_STEM_BYTES or looks_hashed:
        stem = stem[: MAX_STEM_BYTES - 65] + b"~" + hashlib.sha256(stem).hexdigest().encode()
    return stem.decode(errors="ignore") + kind.value


@dataclass(frozen=True)
class StoredResult:
    """A result in the bucket, and the version of the recording that it is for.

    One that is not ``final`` is an error record that a later attempt replaces.
    """

    kind: ResultKind
    key: str
    etag: str
    version_id: str | None
    source: ObjectRef
    final: bool


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

    def find(self, recording: ObjectRef) -> StoredResult | None:
        """The recording's result, by two HEADs.

        Deletes the older one if there are a report and an error record. A process that ended between its
        write and the check for the other kind may have left two.
        """
        report = self._find(recording.key, ResultKind.REPORT)
        error_record = self._find(recording.key, ResultKind.ERROR_RECORD)
        if not (report and error_record):
            return report or error_record
        source = replace(report.source, bucket=recording.bucket, key=recording.key)
        return report if self._stays(recording.key, replace(report, source=source)) else error_record

    def read(self, key: str) -> bytes | None:
        """The stored document under a result's key; None if there is none."""
        return self._client.read(self._bucket, key)

    def write(
        self, recording_key: str, kind: ResultKind, body: bytes, source: ObjectRef, *, final: bool = True
    ) -> bool:
        """Stores a result for the version ``source`` unless there is one for a newer version.

        One that is not ``final`` replaces none of its own version that is. Returns False if another result
        stays, or took its place meanwhile.
        """
        key = self.key(recording_key, kind)
        metadata = _metadata_of(source) | ({} if final else NOT_FINAL)
        for _ in range(WRITE_TRIES):
            present = self._find(recording_key, kind)
            if present and self.is_outdated(source, by=present.source):
                return False
            if present and present.final and not final and source.is_same_version(present.source):
                return False
            answer = self._client.put_json_if(
                self._bucket, key, body, metadata, etag=present.etag if present else None
            )
            if answer is not None:
                written = StoredResult(kind, key, answer["ETag"], answer.get("VersionId"), source, final)
                return self._stays(recording_key, written)
        raise StorageUnavailable(
            f"s3://{self._bucket}/{key} was changed {WRITE_TRIES} times while it was being written."
        )

    def is_outdated(self, source: ObjectRef, *, by: ObjectRef) -> bool:
        """Whether a result for the version ``source`` must not replace one for the version ``by``.

        The result of the current version stays. S3 says which one that is, by a HEAD: the newest version may
        be deleted, and then an older one is current again. If neither is current, the newer one's stays.
        """
        if source.is_same_version(by) or not (source.version_id or source.etag):
            return False
        current = self._client.current(source)
        if current and current.is_same_version(source):
            return False
        return bool(current and current.is_same_version(by)) or source.is_older_than(by)

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
        return not self.is_outdated(written.source, by=other.source)

    def _find(self, recording_key: str, kind: ResultKind) -> StoredResult | None:
        key = self.key(recording_key, kind)
        answer = self._client.head(self._bucket, key)
        if answer is None:
            return None
        metadata = answer["Metadata"]
        final = not NOT_FINAL.items() <= metadata.items()
        return StoredResult(kind, key, answer["ETag"], answer.get("VersionId"), _source_in(metadata), final)


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
