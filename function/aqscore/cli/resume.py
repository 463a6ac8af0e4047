"""Continues a run: the rows of an output that still hold, by file, size, time of change and model."""

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqscore.cli.escaping import printable, spreadsheet_cell
from aqscore.cli.inputs import Input
from aqscore.cli.rows import COLUMNS, model_label
from aqscore.errors import BadRequest, RetryableError
from aqscore.report import FileSource

RESUMABLE = ("jsonl", "csv", "tsv")
MIN_COLUMNS = COLUMNS.index("model") + 1  # later ones were added by later versions
RETRYABLE = {kind.type for kind in RetryableError.__subclasses__()}


@dataclass(frozen=True)
class Row:
    """A result in the output of an earlier run."""

    line: bytes
    file: str  # as the format writes it
    size_bytes: int | None
    modified: str | None
    model: str | None  # None for an error
    score: float | None
    retryable: bool = False

    @property
    def failed(self) -> bool:
        """Whether the recording could not be scored."""
        return self.model is None

    def holds(self, source: FileSource, model: str) -> bool:
        """Whether scoring the file again would give the same."""
        unchanged = (self.size_bytes, self.modified) == (source.size_bytes, source.modified)
        return (
            unchanged and source.size_bytes is not None and not self.retryable and self.model in (None, model)
        )


def resume(path: Path, form: str, inputs: Iterable[Input], model: str) -> tuple[list[Input], list[Row]]:
    """The inputs that are left, and the earlier rows of the others.

    Rows that no longer hold are taken out of the file, as is a row that was cut off. Rows of files that are
    not among the inputs stay. The columns that an earlier version didn't have are added, empty. Raises
    BadRequest for a file that isn't an output of this command.
    """
    content = path.read_bytes() if path.exists() else b""
    lines = content.splitlines(keepends=True)
    header: list[bytes] = []
    if form != "jsonl":
        header, lines = _with_all_columns(path, lines, "\t" if form == "tsv" else ",")
    rows = {row.file: row for row in _rows(path, form, lines)}  # of two rows of one file, the later one
    left, done, stale = [], [], set()
    for each in inputs:
        source = each.source(each.status())
        row = rows.get(_cell(source.file, form))
        if row is not None and each.error is None and row.holds(source, model):
            done.append(row)
        else:
            left.append(each)
            stale.add(_cell(source.file, form))
    kept = b"".join([*header, *(row.line for row in rows.values() if row.file not in stale)])
    if kept != content:
        _replace(path, kept)
    return left, done


def _with_all_columns(path: Path, lines: list[bytes], separator: str) -> tuple[list[bytes], list[bytes]]:
    """The header and the rows. A file that is empty has none."""
    if not lines:
        return [], []
    found = lines[0].decode(errors="replace").strip().split(separator)
    if len(found) < MIN_COLUMNS or found != list(COLUMNS[: len(found)]):
        raise BadRequest(f"{path} has other columns than this version writes.", advice="Name a new output.")
    missing = separator.encode() * (len(COLUMNS) - len(found))
    rows = [line[:-1] + missing + b"\n" if line.endswith(b"\n") else line for line in lines[1:]]
    return [separator.join(COLUMNS).encode() + b"\n"], rows


def _cell(file: str, form: str) -> str:
    """The name as the format writes it."""
    if form == "jsonl":
        return file
    return spreadsheet_cell(file) if form == "csv" else printable(file)


def _rows(path: Path, form: str, lines: Iterable[bytes]) -> Iterator[Row]:
    for line in lines:
        if not line.endswith(b"\n"):
            return  # the last one was cut off
        try:
            yield _json_row(line) if form == "jsonl" else _table_row(line, form)
        except (ValueError, KeyError, TypeError, AttributeError):
            reason = f"{path} has a line that is no result: {line[:40]!r}"
            raise BadRequest(reason, advice="Name an output of aqscore score, or a new file.") from None


def _json_row(line: bytes) -> Row:
    result: dict[str, Any] = json.loads(line)
    source, model = result["source"], result.get("model")
    return Row(
        line,
        source["file"],
        source.get("size_bytes"),
        source.get("modified"),
        model_label(model["version"], model["sha256"]) if model else None,
        result.get("score"),
        retryable=result["error"]["retryable"] if "error" in result else False,
    )


def _table_row(line: bytes, form: str) -> Row:
    dialect: dict[str, Any] = (
        {"delimiter": "\t", "quoting": csv.QUOTE_NONE, "quotechar": None} if form == "tsv" else {}
    )
    [cells] = csv.reader([line.decode()], **dialect)
    row = dict(zip(COLUMNS, cells, strict=True))
    return Row(
        line,
        row["file"],
        int(row["size_bytes"]) if row["size_bytes"] else None,
        row["modified"] or None,
        row["model"] or None,
        float(row["score"]) if row["score"] else None,
        retryable=row["error"].partition(":")[0] in RETRYABLE,
    )


def _replace(path: Path, content: bytes) -> None:
    """Writes the file in one step: an interrupt leaves the old one."""
    target = path.resolve()
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        file.write(content)
    if target.exists():
        shutil.copymode(target, file.name)
    os.replace(file.name, target)  # noqa: PTH105
