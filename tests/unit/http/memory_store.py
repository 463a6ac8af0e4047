"""A store of uploads and results in memory, for tests of the API without S3."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from aqscore.deadline import Deadline
from aqscore.errors import Forbidden, LimitExceeded, ObjectNotFound
from aqscore.report import ObjectSource

BUCKET = "incoming"
ORIGIN = "https://incoming.s3.eu-central-1.amazonaws.com"


class MemoryStore:
    """A RecordingStore of aqscore.http."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects
        self.reports: dict[str, bytes] = {}

    @contextmanager
    def open_object(
        self, bucket: str, key: str, max_bytes: int, deadline: Deadline
    ) -> Iterator[tuple[BinaryIO, ObjectSource]]:
        if bucket != BUCKET:
            raise Forbidden(f"The bucket {bucket} is another one.")
        if key not in self.objects:
            raise ObjectNotFound(f"There is no object {key}.")
        if len(self.objects[key]) > max_bytes:
            raise LimitExceeded(f"The object {key} is too large.")
        with tempfile.TemporaryFile() as file:
            file.write(self.objects[key])
            deadline.check()
            yield file, ObjectSource(bucket=bucket, key=key)

    def upload_origin(self) -> str:
        return ORIGIN

    def presign_upload(
        self, score_id: str, content_type: str, max_bytes: int, lifetime_s: int
    ) -> dict[str, Any]:
        return {"url": f"{ORIGIN}/", "fields": {"key": score_id, "Content-Type": content_type}}

    def keep_report(self, score_id: str, body: bytes) -> str:
        self.reports[score_id] = body
        return f"s3://results/{score_id}.json"

    def result(self, score_id: str) -> bytes | None:
        return self.reports.get(score_id)

    def has_upload(self, score_id: str) -> bool:
        return score_id in self.objects
