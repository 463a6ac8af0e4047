"""The S3 client: bounded reads, HEAD requests, conditional writes, presigned uploads, and typed errors."""

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from aqscore.aws.object_ref import ObjectRef
from aqscore.deadline import Deadline
from aqscore.errors import (
    AqscoreError,
    LimitExceeded,
    ObjectArchived,
    ObjectNotFound,
    ObjectUnreadable,
    StorageUnavailable,
    Superseded,
)

CHUNK_BYTES = 1 << 20
READ_TRIES = 3
# Error codes of S3. HEAD has no body, so its errors carry the HTTP status instead.
MISSING = ("404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket")
CHANGED = ("412", "PreconditionFailed", "409", "ConditionalRequestConflict")
# States of an object in which S3 returns it to nobody, or not by its name alone: code -> error. Denied access
# and a disabled key are no such states: an operator can correct them, so they are retried.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
STATES: dict[str, type[AqscoreError]] = {
    "InvalidObjectState": ObjectArchived,  # archived, and not restored
    "MethodNotAllowed": ObjectNotFound,  # the version is a delete marker
    "InvalidRequest": ObjectUnreadable,  # encrypted with a key of the caller (SSE-C)
    "InvalidArgument": ObjectUnreadable,  # no valid version id
}
UNREADABLE_HEAD = "400"  # HEAD's answer for an object that is encrypted with a key of the caller
# LocalStack answers InvalidArgument for a version that is already deleted; S3 answers with success.
ALREADY_DELETED = (*MISSING, "InvalidArgument")

log = logging.getLogger(__name__)


class S3Client:
    """The requests to S3 that aqscore makes. Every failure of S3 is raised as StorageUnavailable."""

    def __init__(self, client: Any = None) -> None:
        """``client`` is boto3's; by default one for the region and the credentials of the environment."""
        self._s3 = client or boto3.client(
            "s3",
            config=Config(
                connect_timeout=5,
                read_timeout=5,
                retries={"mode": "standard", "total_max_attempts": 4},
                # Without this, boto3 signs uploads for the global address, which answers 307 while a bucket
                # is new. A browser's upload doesn't follow.
                # https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
                s3={"addressing_style": "virtual"},
            ),
        )

    @contextmanager
    def open(
        self, ref: ObjectRef, max_bytes: int, deadline: Deadline | None = None
    ) -> Iterator[tuple[BinaryIO, ObjectRef]]:
        """Downloads the object into a temporary file, and completes the reference.

        The file has no name and is deleted on leaving. Raises ObjectNotFound, ObjectArchived,
        ObjectUnreadable, LimitExceeded above ``max_bytes``, Superseded when the object no longer has the ETag
        of ``ref``, StorageUnavailable, OutOfTime when the deadline ends the download.
        """
        with tempfile.TemporaryFile() as file:
            with _typed_errors(ref, _typed_read):
                answer = self._download(ref, max_bytes, file, deadline or Deadline())
            file.seek(0)
            yield file, _completed(ref, answer)

    def _download(self, ref: ObjectRef, max_bytes: int, file: BinaryIO, deadline: Deadline) -> dict[str, Any]:
        """Writes the object into the file and returns S3's answer.

        Repeats the request when the body breaks off: botocore's own retries end where the body begins.
        """
        conditions = {"VersionId": ref.version_id, "IfMatch": ref.etag and f'"{ref.etag}"'}
        known = {name: value for name, value in conditions.items() if value}
        tries_left = READ_TRIES
        while True:
            answer: dict[str, Any] = self._s3.get_object(Bucket=ref.bucket, Key=ref.key, **known)
            if answer["ContentLength"] > max_bytes:
                raise LimitExceeded(
                    f"The object has {answer['ContentLength']:,} bytes, the limit is {max_bytes:,}."
                )
            file.seek(0)
            file.truncate()
            try:
                for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                    deadline.check()
                    file.write(chunk)
                return answer
            except BotoCoreError:
                tries_left -= 1
                if not tries_left:
                    raise

    def read(self, bucket: str, key: str) -> bytes | None:
        """The whole object, for small ones; None if there is none."""
        try:
            with _typed_errors(ObjectRef(bucket, key)):
                body: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                return body
        except ObjectNotFound:
            return None

    def head(self, bucket: str, key: str) -> dict[str, Any] | None:
        """S3's answer to a HEAD request; None if there is no such object.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
        """
        try:
            with _typed_errors(ObjectRef(bucket, key)):
                answer: dict[str, Any] = self._s3.head_object(Bucket=bucket, Key=key)
                return answer
        except ObjectNotFound:
            return None

    def current(self, ref: ObjectRef) -> ObjectRef | None:
        """The reference with the object's current version, by a HEAD; None if there is no object.

        The reference has no version where S3 doesn't tell it: for an object encrypted with a caller's key.
        """
        try:
            answer = self._s3.head_object(Bucket=ref.bucket, Key=ref.key)
        except (ClientError, BotoCoreError) as error:
            if _code(error) in MISSING:
                return None
            if _code(error) == UNREADABLE_HEAD:
                return replace(ref, version_id=None, etag=None, size_bytes=None, modified=None)
            raise _typed(error, ref) from error
        return _completed(ref, answer)

    def exists(self, ref: ObjectRef) -> bool:
        """Whether there is such an object."""
        return self.head(ref.bucket, ref.key) is not None

    def put_json_if(
        self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], *, etag: str | None
    ) -> dict[str, Any] | None:
        """Writes an object if the present one has this ETag, or, with None, if there is none.

        Returns S3's answer; None if the condition failed because another writer was faster.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        try:
            with _typed_errors(ObjectRef(bucket, key)):
                answer: dict[str, Any] = self._s3.put_object(
                    Bucket=bucket,
                    Key=key,
                    Body=body,
                    ContentType="application/json",
                    Metadata=metadata,
                    **condition,
                )
                return answer
        except Superseded:
            return None
        except ObjectNotFound:
            if etag:
                return None
            raise StorageUnavailable(f"The bucket {bucket} doesn't exist.") from None

    def delete(self, bucket: str, key: str, version_id: str | None) -> None:
        """Deletes that version, or, with None, the object. It may be deleted already."""
        version = {"VersionId": version_id} if version_id else {}
        try:
            self._s3.delete_object(Bucket=bucket, Key=key, **version)
        except (ClientError, BotoCoreError) as error:
            if _code(error) not in ALREADY_DELETED:
                raise _typed(error, ObjectRef(bucket, key)) from error

    def upload_origin(self, bucket: str) -> str:
        """The scheme, host and port of presigned uploads to the bucket."""
        url = urlsplit(self._s3.generate_presigned_post(bucket, "key")["url"])
        return f"{url.scheme}://{url.netloc}"

    def presign_upload(self, ref: ObjectRef, content_type: str, lifetime_s: int) -> dict[str, Any]:
        """A presigned POST for exactly this key and type, of 1 to ``ref.size_bytes`` bytes: url and fields.

        https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
        """
        post: dict[str, Any] = self._s3.generate_presigned_post(
            ref.bucket,
            ref.key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, ref.size_bytes]],
            ExpiresIn=lifetime_s,
        )
        return post


@cache
def shared_s3_client() -> S3Client:
    """The one client of this process, shared by the queue's and the API's events."""
    return S3Client()


def _completed(ref: ObjectRef, answer: dict[str, Any]) -> ObjectRef:
    """The reference with the version in S3's answer to a GET or HEAD.

    S3 gives "null" as the version id of objects that were written without versioning.
    """
    version_id = answer.get("VersionId")
    return replace(
        ref,
        version_id=None if version_id == "null" else version_id,
        etag=answer["ETag"].strip('"'),
        size_bytes=answer["ContentLength"],
        modified=answer["LastModified"],
    )


type _BotoError = ClientError | BotoCoreError


def _code(error: _BotoError) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def _typed(error: _BotoError, ref: ObjectRef) -> AqscoreError:
    """The error of aqscore for one of botocore."""
    where = f"s3://{ref.bucket}/{ref.key}"
    if _code(error) in MISSING:
        return ObjectNotFound(f"There is no object {where} (S3 answered {_code(error)}).")
    if _code(error) in CHANGED:
        return Superseded(f"{where} was overwritten after the event that named it.")
    log.warning("S3 failed on %s: %s", where, error)
    return StorageUnavailable(f"The request for {where} failed: {error}")


def _typed_read(error: _BotoError, ref: ObjectRef) -> AqscoreError:
    """The same for a failed GET of a recording, where an error may be a state of the object."""
    state = STATES.get(_code(error))
    if state is None or not isinstance(error, ClientError):
        return _typed(error, ref)
    version = f", version {ref.version_id}" if ref.version_id else ""
    reason = error.response["Error"].get("Message", "without a reason")
    return state(f"S3 can't return s3://{ref.bucket}/{ref.key}{version} ({_code(error)}: {reason}).")


@contextmanager
def _typed_errors(
    ref: ObjectRef, typed: Callable[[_BotoError, ObjectRef], AqscoreError] = _typed
) -> Iterator[None]:
    """Raises errors of botocore as errors of aqscore, which ``typed`` makes."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise typed(error, ref) from error
