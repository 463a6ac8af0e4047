"""The buckets of the stack, as the HTTPS API uses them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.settings import Settings
from aqscore.aws.storage import Storage
from aqscore.errors import Forbidden
from aqscore.report import ObjectSource

UPLOADS = "uploads/"  # behind the incoming prefix


class S3RecordingStore:
    """A RecordingStore of aqscore.http in S3. Both buckets must be set."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        if settings.incoming_bucket is None or settings.results_bucket is None:
            raise ValueError("The settings name no buckets, expected an incoming and a results bucket.")
        self._settings = settings
        self._storage = storage
        self._incoming, self._results = settings.incoming_bucket, settings.results_bucket

    @contextmanager
    def open_object(self, bucket: str, key: str, max_bytes: int) -> Iterator[tuple[BinaryIO, ObjectSource]]:
        prefix = self._settings.incoming_prefix
        if bucket != self._incoming:
            raise Forbidden(f"The bucket {bucket} is not the incoming bucket of this stack.")
        if not key.startswith(prefix):
            raise Forbidden(f"{key} is not under the incoming prefix {prefix}.")
        with self._storage.open(ObjectRef(bucket, key), max_bytes) as (file, found):
            yield file, ObjectSource(**found.as_source())

    def presign_upload(
        self, score_id: str, content_type: str, max_bytes: int, lifetime_s: int
    ) -> dict[str, Any]:
        ref = ObjectRef(self._incoming, self._key(score_id), size_bytes=max_bytes)
        return self._storage.presign_upload(ref, content_type, lifetime_s)

    def keep_report(self, score_id: str, body: bytes) -> str:
        key, error_key = self._settings.result_keys(self._key(score_id))
        self._storage.put_result(self._results, key, error_key, body, ObjectRef("", ""))
        return f"s3://{self._results}/{key}"

    def result(self, score_id: str) -> bytes | None:
        return self._storage.read_result(self._results, self._settings.result_keys(self._key(score_id)))

    def has_upload(self, score_id: str) -> bool:
        return self._storage.exists(ObjectRef(self._incoming, self._key(score_id)))

    def _key(self, score_id: str) -> str:
        return f"{self._settings.incoming_prefix}{UPLOADS}{score_id}"
