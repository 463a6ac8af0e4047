"""Lists the objects of a backfill: those with a prefix, or those in a manifest."""

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, NamedTuple, TextIO
from urllib.parse import quote, unquote, urlsplit

from botocore.client import BaseClient


class ListedObject(NamedTuple):
    """An object; its size is None where the list doesn't give it."""

    key: str
    size_bytes: int | None


@dataclass
class Totals:
    """Number and size of the listed objects, by the suffix of their names (``.wav``, in lower case)."""

    files: Counter[str] = field(default_factory=Counter)
    size_bytes: Counter[str] = field(default_factory=Counter)

    def add(self, listed: ListedObject) -> None:
        suffix = PurePosixPath(listed.key).suffix.lower()
        self.files[suffix] += 1
        self.size_bytes[suffix] += listed.size_bytes or 0


def under_prefix(s3: BaseClient, bucket: str, prefix: str) -> Iterator[ListedObject]:
    """Lists the objects with this prefix, without the empty objects that stand for folders."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", ()):
            if not each["Key"].endswith("/"):
                yield ListedObject(each["Key"], each["Size"])


def in_manifest(s3: BaseClient, uri: str, bucket: str) -> Iterator[ListedObject]:
    """The newest versions in an S3 Inventory's ``manifest.json`` (CSV), or in a CSV of ``bucket,key``.

    Keys are URL-encoded in both. Raises ValueError for objects of another bucket, which the function may not
    read, and for an inventory that is not CSV.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
    """
    parts = urlsplit(uri)
    body = s3.get_object(Bucket=parts.netloc, Key=parts.path.removeprefix("/"))["Body"].read()
    if uri.endswith(".json"):
        rows = _inventory_rows(s3, json.loads(body))
    else:
        rows = (dict(zip(("Bucket", "Key"), row, strict=False)) for row in csv.reader(_text(body)))
    for row in rows:
        if row["Bucket"] != bucket:
            raise ValueError(
                f"{uri} lists an object of {row['Bucket']}. The function may read {bucket} only: deploy a "
                "stack with ExistingBucket for the other bucket."
            )
        if row.get("IsLatest", "true") == "true" and row.get("IsDeleteMarker", "false") == "false":
            yield ListedObject(unquote(row["Key"].replace("+", "%20")), int(row.get("Size") or 0) or None)


def _inventory_rows(s3: BaseClient, manifest: dict[str, Any]) -> Iterator[dict[str, str]]:
    if manifest["fileFormat"] != "CSV":
        raise ValueError(f"The inventory's format is {manifest['fileFormat']}, expected CSV.")
    columns = [column.strip() for column in manifest["fileSchema"].split(",")]
    bucket = manifest["destinationBucket"].rpartition(":")[2]
    for file in manifest["files"]:
        answer = s3.get_object(Bucket=bucket, Key=file["key"])
        with gzip.open(answer["Body"], "rt", encoding="utf-8", newline="") as lines:
            for row in csv.reader(lines):
                yield dict(zip(columns, row, strict=True))


def write_manifest(listed: Iterator[ListedObject], bucket: str, file: TextIO) -> Totals:
    """Writes the CSV manifest that S3 Batch Operations reads; returns the totals of the list."""
    totals = Totals()
    for each in listed:
        file.write(f"{bucket},{quote(each.key)}\n")
        totals.add(each)
    return totals


def read_manifest(file: TextIO) -> Iterator[str]:
    """The keys in a manifest of ``write_manifest``."""
    for line in file:
        yield unquote(line.rstrip("\n").partition(",")[2])


def _text(body: bytes) -> TextIO:
    return io.StringIO(body.decode())
