"""Scores local files through the same pipeline, with no cloud: ``python -m function PATH...``."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from function.errors import AqscoreError, ObjectNotFound, PermanentError, RetryableError
from function.model import load_model
from function.report import ErrorRecord, FileSource, Report
from function.scoring import score
from function.settings import Settings

# What is taken from a folder. A file named on the command line is tried whatever it is called.
SUFFIXES = {
    ".3gp", ".aac", ".aif", ".aiff", ".amr", ".au", ".awb", ".caf", ".flac", ".m4a", ".mka", ".mkv", ".mov",
    ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".rf64", ".snd", ".w64", ".wav", ".webm",
}  # fmt: skip
EXPORTS = {
    "csv": "also write a table, one line a recording",
    "plot": "also draw the scores over time, as PNG, SVG or PDF",
    "report": "also write a page that shows all results and needs nothing else (HTML)",
}
VERDICT_STYLES = {"excellent": "green", "good": "green", "fair": "yellow", "poor": "red", "bad": "bold red"}


def main(arguments: list[str] | None = None) -> int:
    """Prints a result for every input, in the order given. Returns 1 if any can't be scored."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True)
    try:
        settings = Settings.from_env()
        load_model(settings)
    except AqscoreError as error:
        console.print(f"[red]{error.message}[/] {error.advice}")
        return 2
    show = _Lines() if options.format == "jsonl" else _Table()
    paths = [found for path in options.paths for found in _walk(path)]
    failed = not paths
    if failed:
        console.print(f"No recordings in {', '.join(map(str, options.paths))}. Taken from folders: "
                      f"{' '.join(sorted(SUFFIXES))}")  # fmt: skip
    wanted_files = [option for option in EXPORTS if getattr(options, option)]
    results = []  # kept only where a file of all of them is wanted
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for path in progress.track(paths, description="Scoring"):
            result = _result(path, settings, frames=not options.no_frames)
            failed |= isinstance(result, ErrorRecord)
            show.add(result)
            if wanted_files:
                results.append(result)
    show.finish()
    for option in wanted_files:
        _export(option, results, getattr(options, option))
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m function", description="Scores recordings of speech.")
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a recording, or a folder of them"
    )
    parser.add_argument(
        "--format", choices=("table", "jsonl"), default="table", help="a table, or one JSON result a line"
    )
    parser.add_argument("--no-frames", action="store_true", help="leave the scores of single frames out")
    for option, text in EXPORTS.items():
        parser.add_argument(f"--{option}", type=Path, metavar="FILE", help=text)
    return parser


def _export(option: str, results: list[Report | ErrorRecord], path: Path) -> None:
    from function import exports

    write = {"csv": exports.write_csv, "plot": exports.write_plot, "report": exports.write_html}[option]
    write(results, path)


def _walk(path: Path) -> Iterator[Path]:
    """The file itself, or the recordings in the folder and its subfolders, sorted."""
    if not path.is_dir():
        yield path
        return
    yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())


def _result(path: Path, settings: Settings, frames: bool) -> Report | ErrorRecord:
    source = FileSource(file=str(path))
    try:
        with _open(path) as file:
            return Report(source=source, **dict(score(file, settings, frames=frames)))
    except (PermanentError, RetryableError) as error:
        return ErrorRecord.of(error, source)


def _open(path: Path):
    try:
        return path.open("rb")
    except OSError as error:
        raise ObjectNotFound(
            f"{path} can't be opened ({error.strerror}), expected a file.", advice="Check the path."
        ) from None


class _Lines:
    """One JSON document a line, as soon as it is there."""

    def add(self, result: Report | ErrorRecord) -> None:
        print(result.model_dump_json(), flush=True)

    def finish(self) -> None:
        sys.stdout.flush()


class _Table:
    """A table for a person."""

    def __init__(self) -> None:
        self._table = Table()
        self._table.add_column("File", overflow="fold", ratio=3)
        self._table.add_column("Score", justify="right", no_wrap=True)
        for heading in ("90 % interval", "Verdict", "Worst second"):
            self._table.add_column(heading, no_wrap=True)
        self._table.add_column("Warnings", ratio=4)

    def add(self, result: Report | ErrorRecord) -> None:
        if isinstance(result, ErrorRecord):
            error = result.error
            self._table.add_row(
                result.source.file, "", "", "[red]error[/]", "", f"{error.message} {error.advice}"
            )
            return
        worst = result.worst_segment
        self._table.add_row(
            result.source.file,
            "-" if result.score is None else f"{result.score:.2f}",
            "" if result.interval is None else "{:.2f} to {:.2f}".format(*result.interval),
            f"[{VERDICT_STYLES[result.verdict]}]{result.verdict}[/]" if result.verdict else "no score",
            "" if worst is None else f"{worst.score:.2f} at {worst.start_s:.1f} s",
            "\n".join(warning.message for warning in result.warnings),
        )

    def finish(self) -> None:
        Console().print(self._table)


if __name__ == "__main__":
    sys.exit(main())
