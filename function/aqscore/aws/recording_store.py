"""The incoming and the results bucket, as the HTTPS API uses them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.result_store import ResultKind, ResultStore
from aqscore.aws.s3 import S3Client
from aqscore.aws.settings import Settings
from aqscore.deadline import Deadline
from aqscore.errors import Forbidden
from aqscore.report import ObjectSource

UPLOADS = "uploads/"  # behind the incoming prefix


class S3RecordingStore:
    """A RecordingStore of aqscore.http in S3. Both buckets must be set."""

    def __init__(self, settings: Settings, s3: S3Client) -> None:
        if settings.incoming_bucket is None or settings.results_bucket is None:
            raise ValueError("The settings name no buckets, expected an incoming and a results bucket.")
        self._client = s3
        self._incoming, self._prefix = settings.incoming_bucket, settings.incoming_prefix
        self._results_bucket = settings.results_bucket
        self._results = ResultStore(s3, settings.results_bucket, settings.results_prefix)

    @contextmanager
    def open_object(
        self, bucket: str, key: str, max_bytes: int, deadline: Deadline
    ) -> Iterator[tuple[BinaryIO, ObjectSource]]:
        if bucket != self._incoming:
            raise Forbidden(f"The bucket {bucket} is not the incoming bucket of this installation.")
        if not key.startswith(self._prefix):
            raise Forbidden(f"{key} is not under the incoming prefix {self._prefix}.")
        with self._client.open(ObjectRef(bucket, key), max_bytes, deadline) as (file, found):
            yield file, ObjectSource(**found.as_source())

    def upload_origin(self) -> str:
        return self._client.upload_origin(self._incoming)

    def presign_upload(
        self, score_id: str, content_type: str, max_bytes: int, lifetime_s: int
    ) -> dict[str, Any]:
        ref = ObjectRef(self._incoming, self._key(score_id), size_bytes=max_bytes)
        return self._client.presign_upload(ref, content_type, lifetime_s)

    def keep_report(self, score_id: str, body: bytes) -> str:
        recording_key = self._key(score_id)
        self._results.write(recording_key, ResultKind.REPORT, body, ObjectRef("", ""))
        return f"s3://{self._results_bucket}/{self._results.key(recording_key, ResultKind.REPORT)}"

    def result(self, score_id: str) -> bytes | None:
        for kind in ResultKind:
            body = self._results.read(self._results.key(self._key(score_id), kind))
            if body is not None:
                return body
        return None

    def has_upload(self, score_id: str) -> bool:
        return self._client.exists(ObjectRef(self._incoming, self._key(score_id)))

    def _key(self, score_id: str) -> str:
        return f"{self._prefix}{UPLOADS}{score_id}"
