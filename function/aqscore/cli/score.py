"""``aqscore score``: files and folders to a table, JSON lines, or files of all results."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from aqscore.cli.exports import Result, file_of, write_csv, write_html, write_plot
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

    Returns 0, 1 if any recording can't be scored, or 2 if the model or a setting is wrong.
    """
    console = Console(stderr=True)
    try:
        config = ScorerConfig.from_env()
        scorer = Scorer.from_config(config)
    except AqscoreError as error:
        console.print(f"[red]{escape(error.message)}[/] {escape(error.advice)}")
        return 2
    output = _Lines() if options.format == "jsonl" else _Table()
    paths = [found for path in options.paths for found in _recordings_in(path)]
    failed = not paths
    if failed:
        console.print(
            f"No recordings in {', '.join(map(str, options.paths))}. Suffixes taken from folders: "
            f"{' '.join(sorted(SUFFIXES))}",
            markup=False,
        )
    exports = [option for option in EXPORTS if getattr(options, option)]
    results = []  # filled only for exports, which need all results at once
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for path in progress.track(paths, description="Scoring"):
            result = _result(path, scorer, frames=not options.no_frames)
            failed |= isinstance(result, ErrorRecord)
            output.add(result)
            if exports:
                results.append(result)
    output.finish()
    for option in exports:
        WRITERS[option](results, getattr(options, option))
    return int(failed)


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
        self._table.add_column("Warnings", ratio=4)

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
