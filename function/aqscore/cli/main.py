"""The command ``aqscore``: its subcommands. Each has a module of its name, which adds its options.

Only the module of the subcommand that is asked for is imported.
"""

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Container
from importlib import import_module
from typing import Any

from aqscore import __version__
from aqscore.cli.interrupts import EXIT_INTERRUPTED, exit_on_interrupt

COMMANDS = {
    "score": "score files and folders",
    "watch": "score the recordings that land in a folder",
    "compare": "compare two versions of a recording, or of a folder",
    "summary": "summarise results: distribution, worst, causes, drift",
    "serve": "serve the page and the HTTPS API on this machine",
    "model": "show the model, and check that it scores here as it should",
    "completion": "print the completion script of a shell",
}
EXIT_USAGE = 2
EXIT_BROKEN_PIPE = 141  # as a shell reports SIGPIPE
EXAMPLES = """\
examples:
  aqscore score calls/                     a table, the worst recordings first
  aqscore score calls/ --output all.jsonl  one JSON result a line
  aqscore summary all.jsonl                distribution, worst, causes, drift
  aqscore compare old/ new/                is the new version better?
  aqscore COMMAND --help                   options and examples of a command
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs one subcommand; returns the exit status. Without ``arguments``, those of the process."""
    given = sys.argv[1:] if arguments is None else arguments
    with exit_on_interrupt():
        parser = command_parser(given)
        if not given:
            parser.print_help(sys.stderr)
            return EXIT_USAGE
        if given[0] not in COMMANDS and os.path.exists(given[0]):  # noqa: PTH110  of any characters
            parser.error(f"{given[0]} is no command. To score it: aqscore score {shlex.join(given)}")
        options = parser.parse_args(given)
        options.arguments = given
    if arguments is None:  # __main__ has set SIGINT to its default of the system
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has what it wants
        from aqscore.cli.outputs import discard_output

        discard_output()
        return EXIT_BROKEN_PIPE
    finally:
        if arguments is None:  # nothing is left but the end of the process, which needs no traceback
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    return status


def command_parser(needed: Container[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of the command, with all subcommands, and the options of those that are needed."""
    parser = argparse.ArgumentParser(
        prog="aqscore",
        description="Scores recordings of speech without a clean reference.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="print the versions of the software and of the model"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name in needed:
            import_module(f"aqscore.cli.{name}").add_options(command)
    return parser


class _Version(argparse.Action):
    """Prints both versions. The model's is read only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        from aqscore.config import ScorerConfig
        from aqscore.errors import SetupError
        from aqscore.model.loading import read_model_info

        try:
            info = read_model_info(ScorerConfig.from_env().model_dir)
        except SetupError as error:
            parser.exit(2, f"aqscore {__version__}, without a model: {error.message} {error.advice}\n")
        print(f"aqscore {__version__}, model {info['name']} {info['version']}")
        parser.exit(0)
