"""The command ``aqscore``: ``aqscore score PATH...`` and ``aqscore serve``."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from aqscore import __version__
from aqscore.config import ScorerConfig
from aqscore.errors import AqscoreError, ObjectNotFound, PermanentError, RetryableError, SetupError
from aqscore.model.loading import load_model, read_model_info
from aqscore.pipeline import score_file
from aqscore.report import ErrorRecord, FileSource, Report

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
    """Runs one subcommand; returns the exit status."""
    options = _parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aqscore", description="Scores recordings of speech without a clean reference."
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="print the versions of the software and of the model"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    score = commands.add_parser("score", help="score files and folders")
    score.set_defaults(run=_score)
    score.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a recording, or a folder of recordings"
    )
    score.add_argument(
        "--format", choices=("table", "jsonl"), default="table", help="a table, or one JSON result a line"
    )
    score.add_argument("--no-frames", action="store_true", help="leave the scores of single frames out")
    for option, text in EXPORTS.items():
        score.add_argument(f"--{option}", type=Path, metavar="FILE", help=text)
    serve = commands.add_parser("serve", help="serve the page and the HTTPS API on this machine")
    serve.set_defaults(run=_serve)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    return parser


class _Version(argparse.Action):
    """Prints both versions. The model's is read when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        try:
            info = read_model_info(ScorerConfig.from_env().model_dir)
        except SetupError as error:
            parser.exit(2, f"aqscore {__version__}, without a model: {error.message} {error.advice}\n")
        parser.exit(0, f"aqscore {__version__}, model {info['name']} {info['version']}\n")


def _score(options: argparse.Namespace) -> int:
    """Prints a result for every input, in the order given. Returns 1 if any can't be scored."""
    console = Console(stderr=True)
    try:
        config = ScorerConfig.from_env()
        load_model(config)
    except AqscoreError as error:
        console.print(f"[red]{error.message}[/] {error.advice}")
        return 2
    show = _Lines() if options.format == "jsonl" else _Table()
    paths = [found for path in options.paths for found in _walk(path)]
    failed = not paths
    if failed:
        console.print(
            f"No recordings in {', '.join(map(str, options.paths))}. Taken from folders: "
            f"{' '.join(sorted(SUFFIXES))}"
        )
    wanted_files = [option for option in EXPORTS if getattr(options, option)]
    results = []  # kept only where a file of all of them is wanted
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for path in progress.track(paths, description="Scoring"):
            result = _result(path, config, frames=not options.no_frames)
            failed |= isinstance(result, ErrorRecord)
            show.add(result)
            if wanted_files:
                results.append(result)
    show.finish()
    for option in wanted_files:
        _export(option, results, getattr(options, option))
    return int(failed)


def _serve(options: argparse.Namespace) -> int:
    """Serves until it is interrupted."""
    try:
        import uvicorn

        from aqscore.http.app import create_app
    except ImportError as error:
        print(f"{error.name} is not installed. Run: pip install 'aqscore[serve]'", file=sys.stderr)
        return 2
    uvicorn.run(create_app(ScorerConfig.from_env()), host=options.host, port=options.port)
    return 0


def _export(option: str, results: list[Report | ErrorRecord], path: Path) -> None:
    from aqscore.cli import exports

    write = {"csv": exports.write_csv, "plot": exports.write_plot, "report": exports.write_html}[option]
    write(results, path)


def _walk(path: Path) -> Iterator[Path]:
    """The file itself, or the recordings in the folder and its subfolders, sorted."""
    if not path.is_dir():
        yield path
        return
    yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())


def _result(path: Path, config: ScorerConfig, frames: bool) -> Report | ErrorRecord:
    source = FileSource(file=str(path))
    try:
        with _open(path) as file:
            return Report(source=source, **dict(score_file(file, config, frames=frames)))
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
