"""The command ``aqscore``: its subcommands and their options."""

import argparse
from pathlib import Path
from typing import Any

from aqscore import __version__
from aqscore.cli.score import EXPORTS, run_score
from aqscore.cli.serve import run_serve
from aqscore.config import ScorerConfig
from aqscore.errors import SetupError
from aqscore.model.loading import read_model_info


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
    score.set_defaults(run=run_score)
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
    serve.set_defaults(run=run_serve)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    serve.add_argument("--log-level", default="info", help="of the server (default: %(default)s)")
    return parser


class _Version(argparse.Action):
    """Prints both versions. The model's is read only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        try:
            info = read_model_info(ScorerConfig.from_env().model_dir)
        except SetupError as error:
            parser.exit(2, f"aqscore {__version__}, without a model: {error.message} {error.advice}\n")
        print(f"aqscore {__version__}, model {info['name']} {info['version']}")
        parser.exit(0)
