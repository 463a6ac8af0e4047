"""A model of S3 in memory, for tests that need thousands of runs. It has versions and conditions only.

It answers as S3 documents; tests/integration has a real S3. Every request is atomic, and ``step`` is called
before it.
"""

# ruff: noqa: N803 - boto3's own names

import hashlib
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)  # S3's times are whole seconds; here all are equal


class MemoryS3:
    """The methods of boto3's client that aqscore.aws.s3 calls."""

    def __init__(self, step: Callable[[], None]) -> None:
        self._step = step
        self._objects: dict[tuple[str, str], list[dict]] = {}  # (bucket, key) -> versions, oldest first
        self._count = 0

    def keys(self, bucket: str) -> list[str]:
        return sorted(key for (name, key), versions in self._objects.items() if name == bucket and versions)

    def newest(self, bucket: str, key: str) -> dict[str, Any]:
        """The newest version, without a step; its bytes are its ``content``."""
        return self._version(bucket, key, None, "NoSuchKey")

    def put(self, bucket: str, key: str, body: bytes, metadata: dict | None = None) -> dict[str, Any]:
        """Writes an object as other clients do: without a step, and without conditions."""
        self._count += 1
        version = {
            "ETag": f'"{hashlib.md5(body).hexdigest()}"',
            "VersionId": f"v{self._count}",
            "Metadata": metadata or {},
            "ContentLength": len(body),
            "LastModified": MOMENT,
            "content": body,
        }
        self._objects.setdefault((bucket, key), []).append(version)
        return version

    def remove(self, bucket: str, key: str, version_id: str) -> None:
        """Deletes a version as other clients do, without a step."""
        versions = self._objects.get((bucket, key), [])
        self._objects[bucket, key] = [each for each in versions if each["VersionId"] != version_id]

    def head_object(self, Bucket: str, Key: str, VersionId: str | None = None) -> dict[str, Any]:
        self._step()
        return self._version(Bucket, Key, VersionId, "404")

    def get_object(
        self,
        Bucket: str,
        Key: str,
        VersionId: str | None = None,
        IfMatch: str | None = None,
    ) -> dict[str, Any]:
        self._step()
        version = self._version(Bucket, Key, VersionId, "NoSuchKey")
        if IfMatch and version["ETag"] != IfMatch:
            raise _error("PreconditionFailed")
        return version | {"Body": _Body(version["content"])}

    def put_object(
        self, Bucket: str, Key: str, Body: bytes, Metadata: dict, ContentType: str,
        IfMatch: str | None = None, IfNoneMatch: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        self._step()
        versions = self._objects.get((Bucket, Key))
        if IfNoneMatch and versions:
            raise _error("PreconditionFailed")
        if IfMatch and not versions:
            raise _error("NoSuchKey")
        if IfMatch and versions[-1]["ETag"] != IfMatch:
            raise _error("PreconditionFailed")
        return self.put(Bucket, Key, Body, Metadata)

    def delete_object(self, Bucket: str, Key: str, VersionId: str) -> None:
        self._step()
        self.remove(Bucket, Key, VersionId)

    def _version(self, bucket: str, key: str, version_id: str | None, missing: str) -> dict[str, Any]:
        for version in reversed(self._objects.get((bucket, key), [])):
            if version_id in (None, version["VersionId"]):
                return version
        raise _error(missing)


class _Body(io.BytesIO):
    def iter_chunks(self, size: int):
        yield from iter(lambda: self.read(size), b"")


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Model")
