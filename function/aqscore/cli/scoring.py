"""The results of the inputs, in their order, from one process or several."""

import stat
import sys
import tempfile
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from aqscore.cli.inputs import STANDARD_INPUT, Input
from aqscore.errors import AqscoreError, ObjectNotFound
from aqscore.report import ErrorRecord, FileSource, Report
from aqscore.scorer import Options, Scorer

COPY_BYTES = 1 << 20

type Result = Report | ErrorRecord


@dataclass
class _Pending:
    """An input whose result is not there yet."""

    source: FileSource
    error: AqscoreError | None = None
    copy: Path | None = None  # of a pipe, deleted when it has been scored


def results_of(
    inputs: Iterable[Input], scorer: Scorer, jobs: int | None, max_bytes: int, options: Options
) -> Generator[Result]:
    """Yields a result for each input, in order, as soon as it and those before it are there.

    Standard input, pipes and devices are read here, as other processes can't open all of them. Closing the
    iterator ends the processes. Raises BadRequest for wrong options, and SetupError.
    """
    pending: deque[_Pending] = deque()

    def paths(folder: Path) -> Iterator[str]:
        for number, each in enumerate(inputs):
            status, path = each.status(), each.path
            entry = _Pending(each.source(status), each.error)
            # Any process can open a regular file, or fails to for a reason of its own.
            special = path == STANDARD_INPUT or (status is not None and not stat.S_ISREG(status.st_mode))
            if special and entry.error is None:
                try:
                    entry.copy = _copy(path, folder / str(number), max_bytes)
                    path = str(entry.copy)
                except OSError as error:
                    entry.error = ObjectNotFound(f"It can't be read ({error.strerror}).")
            pending.append(entry)
            if entry.error is None:
                yield path

    def failures() -> Iterator[ErrorRecord]:
        while pending and (error := pending[0].error) is not None:
            yield ErrorRecord.of(error, pending.popleft().source)

    with tempfile.TemporaryDirectory(prefix="aqscore-") as folder:
        for result in scorer.score_many(paths(Path(folder)), jobs=jobs, **options):
            yield from failures()
            entry = pending.popleft()
            if entry.copy:
                entry.copy.unlink()
            result.source = entry.source  # cheaper than a copy, and nobody else has the result
            yield result
        yield from failures()


def _copy(path: str, copy: Path, max_bytes: int) -> Path:
    """Copies a pipe, up to one byte beyond the limit: the scorer answers that as for any large file."""

    def read(source: BinaryIO) -> None:
        with copy.open("wb") as file:
            while (left := max_bytes + 1 - file.tell()) and (chunk := source.read(min(left, COPY_BYTES))):
                file.write(chunk)

    if path == STANDARD_INPUT:
        read(sys.stdin.buffer)
    else:
        with Path(path).open("rb", buffering=0) as source:
            read(source)
    return copy
