"""The interface of the storage that the HTTPS API may use: objects, uploads and results."""

from contextlib import AbstractContextManager
from typing import Any, BinaryIO, Protocol

from aqscore.deadline import Deadline
from aqscore.report import ObjectSource


class RecordingStore(Protocol):
    """A bucket of recordings and one of results. An id names an upload or a posted recording."""

    def open_object(
        self, bucket: str, key: str, max_bytes: int, deadline: Deadline
    ) -> AbstractContextManager[tuple[BinaryIO, ObjectSource]]:
        """Opens an object of the incoming bucket.

        Raises Forbidden for an object outside it, ObjectNotFound, LimitExceeded, StorageUnavailable,
        OutOfTime.
        """

    def upload_origin(self) -> str:
        """The scheme, host and port that uploads are posted to, as in ``https://bucket.example.org``."""

    def presign_upload(
        self, score_id: str, content_type: str, max_bytes: int, lifetime_s: int
    ) -> dict[str, Any]:
        """A presigned POST: the ``url`` and ``fields`` of a form that uploads one recording."""

    def keep_report(self, score_id: str, body: bytes) -> str:
        """Stores the JSON report of a posted recording; returns its URL.

        Raises StorageUnavailable.
        """

    def result(self, score_id: str) -> bytes | None:
        """The stored JSON report or error record; None if there is none."""

    def has_upload(self, score_id: str) -> bool:
        """Whether a recording was uploaded under this id."""
