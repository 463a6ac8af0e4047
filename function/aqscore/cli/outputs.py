"""The outputs of a run: a table or rows on standard output or in a file, and exports beside them."""

import importlib.util
import io
import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from rich.console import Console

from aqscore.cli.escaping import printable
from aqscore.cli.html_report import write_html
from aqscore.cli.inputs import Input
from aqscore.cli.plot import SUFFIXES, write_plot
from aqscore.cli.rows import FORMATS, Rows
from aqscore.cli.scoring import Result
from aqscore.cli.table import print_table
from aqscore.errors import BadRequest

STANDARD_OUTPUT = "-"
FILE_TABLE_CELLS = 120  # width of a table that is written to a file
EXPORTS = ("csv", "plot", "report")


def chosen_format(options: Namespace) -> str:
    """The format of the output: that asked for, by the suffix of the file, or by what reads it."""
    if options.format:
        return str(options.format)
    if options.output and options.output != STANDARD_OUTPUT:
        suffix = Path(options.output).suffix.lower().removeprefix(".")
        return suffix if suffix in FORMATS else "tsv"
    return "table" if sys.stdout.isatty() else "tsv"


def check_outputs(options: Namespace, inputs: Iterable[Input]) -> None:
    """Raises BadRequest for a file that can't be written, or that would overwrite another one."""
    named = {f"--{name}": getattr(options, name) for name in ("output", *EXPORTS)}
    targets = {name: Path(path) for name, path in named.items() if path and path != STANDARD_OUTPUT}
    for name, path in targets.items():
        folder = path.absolute().parent
        reason = ""
        if path.is_dir() or not folder.is_dir():
            reason = "expected a file in a folder that exists"
        elif not os.access(path if path.exists() else folder, os.W_OK):
            reason = "permission denied"
        if reason:
            raise BadRequest(f"{name} {path} can't be written: {reason}.", advice="Name another file.")
    if len({path.resolve() for path in targets.values()}) < len(targets):
        raise BadRequest("Two outputs have the same file.", advice="Give each a file of its own.")
    present = {_identity(path): name for name, path in targets.items() if path.is_file()}
    for each in inputs if present else ():
        if output := present.get(_identity(Path(each.path))):
            raise BadRequest(
                f"{output} would overwrite the recording {each.path}.", advice="Name another file."
            )
    _check_plot(options)


def _check_plot(options: Namespace) -> None:
    if options.no_frames and (options.plot or options.report):
        raise BadRequest("--plot and --report show the frames.", advice="Leave --no-frames out.")
    if options.embed_audio and not options.report:
        raise BadRequest("--embed-audio is for the page of --report.", advice="Name it: --report FILE.html.")
    if not options.plot:
        return
    if Path(options.plot).suffix.lower() not in SUFFIXES:
        raise BadRequest(
            f"--plot {options.plot} has no known suffix, expected one of: {', '.join(SUFFIXES)}.",
            advice="Name a file with one of them.",
        )
    if importlib.util.find_spec("matplotlib") is None:
        raise BadRequest(
            "--plot needs matplotlib, which is not installed.", advice="Run: pip install 'aqscore[plots]'"
        )


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(OSError, ValueError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None


class Outputs:
    """Receives each result once. A context, which closes the files."""

    def __init__(self, options: Namespace, form: str) -> None:
        """Opens nothing yet."""
        self._options, self._form = options, form
        self._files = ExitStack()
        self._rows: list[Rows] = []
        self._results: list[Result] = []  # kept only for outputs that need all at once
        self._earlier: list[Result] = []
        self.exports = any(getattr(options, name) for name in EXPORTS)
        self.standard = options.output in (None, STANDARD_OUTPUT)
        self.show_frames = form in ("json", "jsonl") or bool(options.plot or options.report)

    def __enter__(self) -> "Outputs":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()

    def add_earlier(self, result: Result) -> None:
        """Keeps for the exports a result that the output has already. Called before ``open``."""
        self._earlier.append(result)

    def open(self) -> None:
        """Opens the files. Raises OSError."""
        options = self._options
        if self.standard:
            if isinstance(sys.stdout, io.TextIOWrapper):  # a name may have characters that it can't encode
                sys.stdout.reconfigure(errors="backslashreplace")
            self._file: IO[str] = sys.stdout
        else:
            self._file = self._opened(options.output, "a" if options.resume else "w")
        if self._form != "table":
            self._add_rows(self._form, self._file, begin=self.standard or self._file.tell() == 0)
        if options.csv:
            table = self._add_rows("csv", self._opened(options.csv, "w"), begin=True)
            for result in self._earlier:
                table.add(result)
        self._results.extend(self._earlier)

    def add(self, result: Result) -> None:
        """Writes the result, or keeps it for ``finish``."""
        for rows in self._rows:
            rows.add(result)
        if self._form == "table" or self._options.plot or self._options.report:
            self._results.append(result)

    def finish(self) -> None:
        """Writes the outputs that need all results."""
        for rows in self._rows:
            rows.finish()
        if self._form == "table":
            console = Console(file=self._file, width=None if self.standard else FILE_TABLE_CELLS)
            with console.capture() as table:  # rich would end the process at a closed pipe
                print_table(self._results, console, self._options.sort or "score")
            self._file.write(table.get())
            self._file.flush()
        if self._options.plot:
            write_plot(self._results, Path(self._options.plot))
        if self._options.report:
            command = printable(shlex.join(["aqscore", *self._options.arguments]))
            write_html(
                self._results,
                Path(self._options.report),
                command=command,
                embed_audio=self._options.embed_audio,
            )

    def _opened(self, path: str, mode: str) -> IO[str]:
        return self._files.enter_context(Path(path).open(mode, newline="", encoding="utf-8"))

    def _add_rows(self, form: str, file: IO[str], *, begin: bool) -> Rows:
        rows = FORMATS[form](file)
        if begin:
            rows.begin()
        self._rows.append(rows)
        return rows


def discard_output() -> None:
    """Makes the end of the process ignore what standard output couldn't take."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
