"""The recordings that the arguments name: files, folders, lists of files, standard input."""

import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from aqscore.errors import AqscoreError, BadRequest, ObjectNotFound

if TYPE_CHECKING:
    from aqscore.report import FileSource

# The suffixes that are taken from a folder. A file named on the command line is always tried.
SUFFIXES = {
    ".3g2", ".3gp", ".aac", ".aif", ".aifc", ".aiff", ".amr", ".au", ".awb", ".caf", ".flac", ".gsm", ".m4a",
    ".m4b", ".mka", ".mkv", ".mov", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".rf64", ".snd", ".w64", ".wav",
    ".wave", ".weba", ".webm",
}  # fmt: skip
STANDARD_INPUT = "-"
BYTES_PER_PROCESS = 4_000_000  # take about as long to score as a process takes to start
KALDI_OFFSET = re.compile(r"\.ark:\d+$")


@dataclass(frozen=True)
class Input:
    """A recording to score, or the reason why there is none in its place."""

    path: str
    error: AqscoreError | None = None

    def status(self) -> os.stat_result | None:
        """The state of the file, None for standard input and where it can't be looked at."""
        try:
            return None if self.path == STANDARD_INPUT else os.stat(self.path)  # noqa: PTH116
        except (OSError, ValueError):
            return None

    def source(self, status: os.stat_result | None) -> "FileSource":
        """The name in the report, with the size in bytes and the time of change of a regular file."""
        from aqscore.report import FileSource

        if status is None or not stat.S_ISREG(status.st_mode):
            return FileSource(file=self.path)
        modified = datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="microseconds")
        return FileSource(file=self.path, size_bytes=status.st_size, modified=modified)


@dataclass
class Selection:
    """Finds the recordings, and counts the files of folders that are left out, by kind."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    skipped: Counter[str] = field(default_factory=Counter)

    def find(self, entries: Iterable[Input | str]) -> Iterator[Input]:
        """The inputs, in the order of the entries, paths or inputs. Those of a folder are sorted."""
        for path in entries:
            if isinstance(path, Input):
                yield path
            elif path != STANDARD_INPUT and Path(path).is_dir():
                yield from self._in_folder(path)
            elif self._matches(path, self.exclude):
                self.skipped["excluded"] += 1
            else:
                yield Input(path)

    def _in_folder(self, folder: str) -> Iterator[Input]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            reason = f"The folder can't be read ({error.strerror})."
            yield Input(folder, ObjectNotFound(reason, advice="Check its permissions."))
            return
        for entry in entries:
            path = os.path.join(folder, entry.name)  # noqa: PTH118  Path would drop a leading "./"
            if self._matches(path, self.exclude):
                self.skipped["excluded"] += 1
            elif entry.name.startswith("."):
                self.skipped["hidden"] += 1
            elif _holds(partial(entry.is_dir, follow_symlinks=False)):
                yield from self._in_folder(path)
            elif kind := self._unwanted(entry):
                self.skipped[kind] += 1
            else:
                yield Input(path)

    def _unwanted(self, entry: "os.DirEntry[str]") -> str | None:
        """The kind of an entry that is no recording to score."""
        if _holds(entry.is_dir):
            return "linked folder"
        if not _holds(entry.is_file) and not entry.is_symlink():  # a broken link gets its line
            return "special file"
        suffix = Path(entry.name).suffix.lower()
        if self.include:
            return None if self._matches(entry.path, self.include) else "not included"
        return None if suffix in SUFFIXES else suffix or "no suffix"

    @staticmethod
    def _matches(path: str, patterns: Sequence[str]) -> bool:
        """Whether the name or the whole path matches one of the patterns."""
        return any(fnmatch(os.path.basename(path), each) or fnmatch(path, each) for each in patterns)  # noqa: PTH119


def _holds(test: Callable[[], bool]) -> bool:
    """The answer to a test of a folder's entry, False where the entry can't be looked at."""
    try:
        return test()
    except OSError:
        return False


def suitable_jobs(inputs: Iterable[Input]) -> int | None:
    """One process where starting more would take longer than the work, else None: one for each core."""
    found = (each.status() for each in inputs)
    sizes = (status.st_size for status in found if status and stat.S_ISREG(status.st_mode))
    return None if any(total > BYTES_PER_PROCESS for total in accumulate(sizes)) else 1


def listed(path: str) -> list[Input | str]:
    """The paths in a list: one a line, or ended by NUL, or the second field of a Kaldi ``.scp``.

    An entry of a Kaldi list that is a command or a place in an archive becomes an input with an error:
    neither is run or read. Raises BadRequest when the list can't be read.
    """
    try:
        content = sys.stdin.buffer.read() if path == STANDARD_INPUT else Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadRequest(f"The list {path} can't be read ({reason}).", advice="Check its path.") from None
    ends = b"\0" if b"\0" in content else b"\n"
    entries = [os.fsdecode(line.rstrip(b"\r")) for line in content.split(ends) if line.strip()]
    if not path.endswith(".scp"):
        return list(entries)
    return [_kaldi_entry(entry) for entry in entries]


def _kaldi_entry(entry: str) -> Input | str:
    """The path of a line ``utterance path``."""
    path = entry.strip().split(maxsplit=1)[-1]
    if path.endswith("|"):
        return Input(
            path, BadRequest("A command in a list is not run.", advice="Store its output in a file.")
        )
    if KALDI_OFFSET.search(path):
        return Input(path, BadRequest("An archive can't be read.", advice="Extract the recordings first."))
    return path
