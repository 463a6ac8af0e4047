"""A folder in which recordings land, and the results beside them or in another folder.

All that must survive a restart is in the results: each names the size and the time of change of its
recording. A result is current while both are the recording's.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aqscore.cli.inputs import Input, Selection
from aqscore.report import ErrorRecord, FileSource, Report, read_document

RETRY_S = 60.0  # after an error that may pass
REPORT_SUFFIX, ERROR_SUFFIX = ".json", ".error.json"


@dataclass(frozen=True)
class _State:
    """A recording's size and time of change, and the time since when they have been so."""

    size_bytes: int
    modified_ns: int
    since: float


class DropFolder:
    """Finds the recordings that are complete and have no current result, and keeps their results.

    Times are seconds of any clock, which the caller passes.
    """

    def __init__(self, folder: Path, output: Path, settle_s: float) -> None:
        """Takes a recording for complete when it has not changed for ``settle_s`` seconds."""
        self._folder = folder
        self._output = output
        self._settle_s = settle_s
        self._seen: dict[str, _State] = {}
        self._done: dict[str, _State] = {}
        self._retry_at: dict[str, float] = {}

    @property
    def settled(self) -> bool:
        """Whether nothing that was seen last waits to be complete, to be scored, or to be tried again."""
        return self._seen.keys() == self._done.keys()

    def ready(self, now: float) -> list[Input]:
        """The recordings to score now, in the order of their names."""
        seen: dict[str, _State] = {}
        for path in self._recordings():
            try:
                status = Path(path).stat()
            except OSError:  # it was moved or deleted
                continue
            state, before = _State(status.st_size, status.st_mtime_ns, now), self._seen.get(path)
            if before is None and self._has_result(path):
                self._done[path] = state
            elif before is not None and _same(before, state):
                state = before
            seen[path] = state
        self._seen = seen
        self._done = {
            path: state for path, state in self._done.items() if path in seen and _same(state, seen[path])
        }
        return [
            Input(path)
            for path, state in seen.items()
            if path not in self._done
            and now - state.since >= self._settle_s
            and now >= self._retry_at.get(path, now)
        ]

    def keep(self, recording: Input, result: Report | ErrorRecord, now: float) -> bool:
        """Writes the result, whole or not at all; returns whether it was written.

        It is not written where the recording is gone, and not yet after an error that may pass. Raises
        OSError; the recording is then tried again, as after such an error.
        """
        path = recording.path
        self._retry_at[path] = now + RETRY_S
        if not Path(path).exists() or (isinstance(result, ErrorRecord) and result.error.retryable):
            return False
        failed = isinstance(result, ErrorRecord)
        self._write(self._result_path(path, ERROR_SUFFIX if failed else REPORT_SUFFIX), result)
        with suppress(FileNotFoundError):
            self._result_path(path, REPORT_SUFFIX if failed else ERROR_SUFFIX).unlink()
        del self._retry_at[path]
        if path in self._seen:  # as it was when it was taken for complete
            self._done[path] = self._seen[path]
        return True

    def _recordings(self) -> Iterator[str]:
        for found in Selection().find([str(self._folder)]):
            if found.error is None:
                yield found.path

    def _result_path(self, path: str, suffix: str) -> Path:
        relative = os.path.relpath(path, self._folder)
        return self._output / (relative + suffix)

    def _has_result(self, path: str) -> bool:
        """Whether one of the results in the output is of the recording as it is now."""
        recording = Input(path)
        current = recording.source(recording.status())
        for suffix in (REPORT_SUFFIX, ERROR_SUFFIX):
            with suppress(OSError, ValueError):  # there is none, or it is damaged
                source = read_document(self._result_path(path, suffix).read_bytes()).source
                if isinstance(source, FileSource) and (source.size_bytes, source.modified) == (
                    current.size_bytes,
                    current.modified,
                ):
                    return True
        return False

    @staticmethod
    def _write(path: Path, result: Report | ErrorRecord) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.part")
        unfinished.write_text(result.model_dump_json(indent=1) + "\n", encoding="utf-8")
        unfinished.replace(path)


def _same(one: _State, other: _State) -> bool:
    return (one.size_bytes, one.modified_ns) == (other.size_bytes, other.modified_ns)
