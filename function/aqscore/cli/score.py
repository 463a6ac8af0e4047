"""``aqscore score``: files and folders to a table, JSON lines, or files of all results."""

import argparse
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from aqscore.cli.exports import Result, file_of, write_csv, write_plot
from aqscore.cli.html_report import write_html
from aqscore.cli.interrupts import EXIT_INTERRUPTED, Interrupts, exit_on_interrupt
from aqscore.config import ScorerConfig
from aqscore.errors import AqscoreError, PermanentError, RetryableError
from aqscore.report import ErrorRecord, FileSource
from aqscore.scorer import Scorer

# The suffixes that are taken from a folder. A file named on the command line is always tried.
SUFFIXES = {
    ".3gp", ".aac", ".aif", ".aiff", ".amr", ".au", ".awb", ".caf", ".flac", ".m4a", ".mka", ".mkv", ".mov",
    ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".rf64", ".snd", ".w64", ".wav", ".webm",
}  # fmt: skip
EXPORTS = {
    "csv": "also write a table, one line a recording",
    "plot": "also draw the scores over time, as PNG, SVG or PDF",
    "report": "also write a page that shows all results and needs nothing else (HTML)",
}
WRITERS = {"csv": write_csv, "plot": write_plot, "report": write_html}
PLOT_SUFFIXES = (".png", ".svg", ".pdf")
VERDICT_STYLES = {"excellent": "green", "good": "green", "fair": "yellow", "poor": "red", "bad": "bold red"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of ``aqscore score``."""
    parser.set_defaults(run=run)
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a recording, or a folder of recordings"
    )
    parser.add_argument(
        "--format", choices=("table", "jsonl"), default="table", help="a table, or one JSON result a line"
    )
    parser.add_argument("--no-frames", action="store_true", help="leave the scores of single frames out")
    for option, text in EXPORTS.items():
        parser.add_argument(f"--{option}", type=Path, metavar="FILE", help=text)


def run(options: argparse.Namespace) -> int:
    """Prints a result for every input, in the order given.

    Returns 0; 1 if any recording can't be scored; 2 if the model, a setting or an option is wrong; 130 after
    Ctrl-C, with the results so far written.
    """
    console = Console(stderr=True)
    try:
        with exit_on_interrupt():
            scorer = Scorer.from_config(ScorerConfig.from_env())
    except AqscoreError as error:
        console.print(f"[red]{escape(error.message)}[/] {escape(error.advice)}")
        return 2
    if problem := _export_problem(options):
        console.print(problem, markup=False)
        return 2
    paths = [found for path in options.paths for found in _recordings_in(path)]
    if not paths:
        console.print(
            f"No recordings in {', '.join(map(str, options.paths))}. Suffixes taken from folders: "
            f"{' '.join(sorted(SUFFIXES))}",
            markup=False,
        )
        return 1
    output = _Lines() if options.format == "jsonl" else _Table()
    exports = [option for option in EXPORTS if getattr(options, option)]
    results: list[Result] = []  # kept only for exports, which need all results at once
    finished = failed = 0
    # A progress bar shares the terminal with nothing else, and never takes the output.
    shown = console.is_terminal and not (options.format == "jsonl" and sys.stdout.isatty())
    progress = Progress(
        console=console, transient=True, disable=not shown, redirect_stdout=False, redirect_stderr=False
    )
    with Interrupts() as interrupts:
        try:
            with progress:
                for path in progress.track(paths, description="Scoring"):
                    with interrupts.allowed():
                        result = _result(path, scorer, frames=not options.no_frames)
                    output.add(result)
                    finished += 1
                    failed += isinstance(result, ErrorRecord)
                    if exports:
                        results.append(result)
        except KeyboardInterrupt:
            console.print(f"Interrupted: {finished} of {len(paths)} recordings were scored.")
        output.finish()
        for option in exports:
            WRITERS[option](results, getattr(options, option))
    if finished < len(paths):
        return EXIT_INTERRUPTED
    return int(failed > 0)


def _export_problem(options: argparse.Namespace) -> str | None:
    """The reason why a file of results can't be written, found before any work."""
    for option in EXPORTS:
        path: Path | None = getattr(options, option)
        if path is None:
            continue
        if path.is_dir() or not path.absolute().parent.is_dir():
            return f"--{option} {path} can't be written, expected a file in a folder that exists."
        if option == "plot" and path.suffix.lower() not in PLOT_SUFFIXES:
            return f"--plot {path} has no known suffix, expected one of: {', '.join(PLOT_SUFFIXES)}."
        if option == "plot" and importlib.util.find_spec("matplotlib") is None:
            return "--plot needs matplotlib, which is not installed. Run: pip install 'aqscore[plots]'"
    return None


def _recordings_in(path: Path) -> Iterator[Path]:
    """The file itself, or the recordings in the folder and its subfolders, sorted."""
    if not path.is_dir():
        yield path
        return
    yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())


def _result(path: Path, scorer: Scorer, frames: bool) -> Result:
    try:
        return scorer.score(path, frames=frames)
    except (PermanentError, RetryableError) as error:
        return ErrorRecord.of(error, FileSource(file=str(path)))


class _Lines:
    """One JSON document a line, as soon as it is there."""

    def add(self, result: Result) -> None:
        print(result.model_dump_json(), flush=True)

    def finish(self) -> None:
        sys.stdout.flush()


class _Table:
    """A table for a terminal."""

    def __init__(self) -> None:
        self._table = Table()
        self._table.add_column("File", overflow="fold", ratio=3)
        self._table.add_column("Score", justify="right", no_wrap=True)
        for heading in ("90 % interval", "Verdict", "Worst second"):
            self._table.add_column(heading, no_wrap=True)
        self._table.add_column("Warnings", overflow="fold", ratio=4)

    def add(self, result: Result) -> None:
        name = escape(file_of(result))
        if isinstance(result, ErrorRecord):
            text = escape(f"{result.error.message} {result.error.advice}")
            self._table.add_row(name, "", "", "[red]error[/]", "", text)
            return
        worst = result.worst_segment
        self._table.add_row(
            name,
            "-" if result.score is None else f"{result.score:.2f}",
            "" if result.interval is None else "{:.2f} to {:.2f}".format(*result.interval),
            f"[{VERDICT_STYLES[result.verdict]}]{result.verdict}[/]" if result.verdict else "no score",
            "" if worst is None else f"{worst.score:.2f} at {worst.start_s:.1f} s",
            "\n".join(warning.message for warning in result.warnings),
        )

    def finish(self) -> None:
        Console().print(self._table)
