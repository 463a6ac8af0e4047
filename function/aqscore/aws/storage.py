"""S3 in and out: bounded reads of the announced version, conditional writes of results."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from aqscore.aws.object_ref import ObjectRef
from aqscore.errors import LimitExceeded, ObjectNotFound, StorageUnavailable, Superseded

CHUNK_BYTES = 1 << 20
READ_TRIES = 3
WRITE_TRIES = 8
MISSING = ("404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket")
# Another writer has removed that version. The ids are S3's own, so an invalid one, as LocalStack says where
# S3 says nothing, can't be meant.
GONE = (*MISSING, "InvalidArgument")
CHANGED = ("412", "PreconditionFailed", "409", "ConditionalRequestConflict")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """A result that is in the bucket: which one, and the object version that it is for."""

    key: str
    etag: str
    version_id: str | None
    source: ObjectRef


class Storage:
    """The incoming and the results buckets. Every failure of S3 is raised as StorageUnavailable."""

    def __init__(self, client: Any = None) -> None:
        self._s3 = client or boto3.client(
            "s3",
            config=Config(
                connect_timeout=5,
                read_timeout=5,
                retries={"mode": "standard", "total_max_attempts": 4},
                # Or boto3 signs uploads for the global address, which answers 307 while a bucket is new: more
                # than a browser follows. https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
                s3={"addressing_style": "virtual"},
            ),
        )

    @contextmanager
    def open(self, ref: ObjectRef, max_bytes: int) -> Iterator[tuple[BinaryIO, ObjectRef]]:
        """Downloads the object into a temporary file, gone on leaving, and completes the reference.

        Raises ObjectNotFound, LimitExceeded above ``max_bytes``, Superseded when the object is no
        longer the announced one, StorageUnavailable.
        """
        with tempfile.TemporaryFile() as file:
            try:
                answer = self._download(ref, max_bytes, file)
            except (ClientError, BotoCoreError) as error:
                raise _explained(error, ref) from error
            file.seek(0)
            yield file, _completed(ref, answer)

    def _download(self, ref: ObjectRef, max_bytes: int, file: BinaryIO) -> dict[str, Any]:
        """S3's answer, its body in the file. A body that breaks off is asked for again: botocore's own tries
        end where the body begins."""
        wanted = {"VersionId": ref.version_id, "IfMatch": ref.etag and f'"{ref.etag}"'}
        tries_left = READ_TRIES
        while True:
            answer = self._s3.get_object(
                Bucket=ref.bucket, Key=ref.key, **{name: v for name, v in wanted.items() if v}
            )
            if answer["ContentLength"] > max_bytes:
                raise LimitExceeded(
                    f"The object has {answer['ContentLength']:,} bytes, the limit is {max_bytes:,}."
                )
            file.seek(0)
            file.truncate()
            try:
                for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                    file.write(chunk)
                return answer
            except BotoCoreError:
                tries_left -= 1
                if not tries_left:
                    raise

    def find_result(self, bucket: str, keys: tuple[str, ...]) -> Result | None:
        """The first of the keys that is there. A result costs one HEAD."""
        for key in keys:
            answer = self._head(bucket, key)
            if answer is not None:
                return Result(key, answer["ETag"], answer.get("VersionId"), _source_in(answer["Metadata"]))
        return None

    def read_result(self, bucket: str, keys: tuple[str, ...]) -> bytes | None:
        """The first of the keys that is there, whole."""
        for key in keys:
            try:
                return self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            except (ClientError, BotoCoreError) as error:
                if _code(error) not in MISSING:
                    raise _explained(error, ObjectRef(bucket, key)) from error
        return None

    def current(self, ref: ObjectRef) -> ObjectRef:
        """The reference with the version that is there now, at the cost of a HEAD; as it was if none is."""
        answer = self._head(ref.bucket, ref.key)
        return ref if answer is None else _completed(ref, answer)

    def exists(self, ref: ObjectRef) -> bool:
        """Whether there is such an object."""
        return self._head(ref.bucket, ref.key) is not None

    def presign_upload(self, ref: ObjectRef, content_type: str, seconds: int) -> dict[str, Any]:
        """A presigned POST for exactly this key, type and at most ``ref.size_bytes``: url and fields.

        https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
        """
        return self._s3.generate_presigned_post(
            ref.bucket,
            ref.key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, ref.size_bytes]],
            ExpiresIn=seconds,
        )

    def put_result(self, bucket: str, key: str, other_key: str, body: bytes, source: ObjectRef) -> bool:
        """Writes a result so that one for the newest version stays, alone; False if another one did.

        ``other_key`` is where the same object's result of the other kind (report or error record)
        would be: an older one there is removed.
        """
        for _ in range(WRITE_TRIES):
            present = self.find_result(bucket, (key,))
            if present and self._is_outdated(source, present.source):
                return False
            condition = {"IfMatch": present.etag} if present else {"IfNoneMatch": "*"}
            try:
                answer = self._s3.put_object(
                    Bucket=bucket,
                    Key=key,
                    Body=body,
                    ContentType="application/json",
                    Metadata=_metadata_of(source),
                    **condition,
                )
            except (ClientError, BotoCoreError) as error:
                if _code(error) in CHANGED or (present and _code(error) in MISSING):
                    continue
                raise _explained(error, ObjectRef(bucket, key)) from error
            return self._settle(
                bucket, Result(key, answer["ETag"], answer.get("VersionId"), source), other_key
            )
        raise StorageUnavailable(f"s3://{bucket}/{key} changed {WRITE_TRIES} times while it was written.")

    def leave_one(self, bucket: str, report_key: str, error_key: str) -> None:
        """Of an object's report and error record, removes the older one if both are there."""
        if report := self.find_result(bucket, (report_key,)):
            self._settle(bucket, report, error_key)

    def _settle(self, bucket: str, written: Result, other_key: str) -> bool:
        """Leaves one of two results: whoever writes last sees both, and removes the older one.

        True if it is ``written`` that stays. Of two for the same version the report stays, whoever asks.
        A result is removed by its version id, so that a newer one which takes its place at this moment
        stays. That needs a results bucket with versioning, as the template makes it.
        """
        while other := self.find_result(bucket, (other_key,)):
            if written.source.is_same_version(other.source):
                stays = len(written.key) < len(other.key)  # NAME.json against NAME.error.json
            else:
                stays = not self._is_outdated(written.source, other.source)
            loser = other if stays else written
            version = {"VersionId": loser.version_id} if loser.version_id else {}
            try:
                self._s3.delete_object(Bucket=bucket, Key=loser.key, **version)
            except (ClientError, BotoCoreError) as error:
                if _code(error) not in GONE:
                    raise _explained(error, ObjectRef(bucket, loser.key)) from error
            if not stays:
                return False
        return True

    def _is_outdated(self, source: ObjectRef, other: ObjectRef) -> bool:
        """Whether a result for ``source`` must give way to the one for ``other``. Where neither sequencers
        nor times tell (a call by hand has no sequencer, and times are whole seconds), S3 is asked whether
        the object is still that version."""
        if source.is_older_than(other):
            return True
        if other.is_older_than(source) or source.is_same_version(other) or not source.version_id:
            return False
        return self.current(source).version_id != source.version_id

    def _head(self, bucket: str, key: str) -> dict[str, Any] | None:
        """S3's HEAD of an object, None when there is none."""
        try:
            return self._s3.head_object(Bucket=bucket, Key=key)
        except (ClientError, BotoCoreError) as error:
            if _code(error) in MISSING:
                return None
            raise _explained(error, ObjectRef(bucket, key)) from error


@cache
def storage_of_stack() -> Storage:
    """The process's one client of S3; the drop folder and the API share it."""
    return Storage()


def _completed(ref: ObjectRef, answer: dict[str, Any]) -> ObjectRef:
    """The reference with what S3's answer to a GET or HEAD says of the version."""
    return replace(
        ref,
        version_id=_version(answer.get("VersionId")),
        etag=answer["ETag"].strip('"'),
        size_bytes=answer["ContentLength"],
        modified=answer["LastModified"],
    )


def _metadata_of(source: ObjectRef) -> dict[str, str]:
    """User metadata is ASCII, so the key stays out: the result's own key says it."""
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
        modified=modified and datetime.fromisoformat(modified),
    )


def _version(version_id: str | None) -> str | None:
    """S3 says "null" for objects written while versioning was off."""
    return None if version_id == "null" else version_id


def _code(error: Exception) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else ""


def _explained(error: Exception, ref: ObjectRef) -> Exception:
    """What an answer of S3 means for whoever asked."""
    where = f"s3://{ref.bucket}/{ref.key}"
    if _code(error) in MISSING:
        return ObjectNotFound(f"There is no object {where} (S3 says {_code(error)}).")
    if _code(error) in CHANGED:
        return Superseded(f"{where} was overwritten after the event that announced it.")
    log.warning("S3 failed on %s: %s", where, error)
    return StorageUnavailable(f"S3 did not deliver or take {where}: {error}")
