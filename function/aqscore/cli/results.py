"""Results that earlier runs wrote: JSON lines, one JSON document, a JSON array, or a folder of these."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqscore.causes import CauseKind
from aqscore.errors import BadRequest
from aqscore.report import ErrorRecord, FileSource, Report, read_document
from aqscore.scale import Verdict

SUFFIXES = (".json", ".jsonl")
STANDARD_INPUT = Path("-")


@dataclass(frozen=True)
class Row:
    """A summary's share of a result: thousands of them fit into memory."""

    name: str
    score: float | None
    verdict: Verdict | None
    worst_score: float | None
    worst_start_s: float | None
    duration_s: float
    warnings: tuple[str, ...]
    error: str | None  # its type
    message: str | None
    model: str | None
    mos: float | None = None  # as the causes, unknown in results of models before 2.1
    causes: tuple[CauseKind, ...] | None = None


@dataclass(frozen=True)
class Results:
    """The rows, in the order of the files, and the number of lines that are no results."""

    rows: tuple[Row, ...]
    skipped: int


def read_results(path: Path) -> Results:
    """Reads a file, a folder and its subfolders, or standard input (``-``).

    Raises BadRequest where it can't be read or holds no result.
    """
    rows: list[Row] = []
    skipped = 0
    try:
        for text in _texts(path):
            try:
                rows.append(row_of(read_document(text.encode())))
            except ValueError:  # a line that was cut short, or another document
                skipped += 1
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"{path} can't be read ({error}), expected results as JSON lines.") from None
    if not rows:
        raise BadRequest(
            f"{path} holds no results, expected JSON lines.",
            advice="Make them: aqscore score FOLDER --format jsonl > results.jsonl",
        )
    return Results(tuple(rows), skipped)


def row_of(result: Report | ErrorRecord) -> Row:
    """The row of a result."""
    source = result.source
    name = source.file if isinstance(source, FileSource) else source.key
    if isinstance(result, ErrorRecord):
        return Row(name, None, None, None, None, 0.0, (), result.error.type, result.error.message, None)
    worst = result.worst_segment
    return Row(
        name=name,
        score=result.score,
        verdict=result.verdict,
        worst_score=worst.score if worst else None,
        worst_start_s=worst.start_s if worst else None,
        duration_s=result.media.duration_s,
        warnings=tuple(warning.code for warning in result.warnings),
        error=None,
        message=None,
        model=f"{result.model.name} {result.model.version}",
        mos=result.mos,
        causes=None if result.causes is None else tuple(cause.kind for cause in result.causes),
    )


def _texts(path: Path) -> Iterator[str]:
    """The JSON documents in a file or folder, or what stands in their place."""
    if path == STANDARD_INPUT:
        yield from _documents(sys.stdin.read())
    elif path.is_dir():
        for file in sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES):
            yield from _documents(file.read_text())
    else:
        with path.open() as lines:
            first = lines.readline()
            if _is_document(first):
                yield first
                yield from filter(str.strip, lines)
            else:
                yield from _documents(first + lines.read())


def _documents(text: str) -> Iterator[str]:
    try:
        value: Any = json.loads(text)
    except ValueError:  # JSON lines
        yield from filter(str.strip, text.splitlines())
        return
    for each in value if isinstance(value, list) else [value]:
        yield json.dumps(each)


def _is_document(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
