"""``aqscore completion``: the script by which a shell completes the commands, options and files."""

import argparse
from collections.abc import Iterator

EXAMPLES = """\
examples:
  aqscore completion bash > ~/.local/share/bash-completion/completions/aqscore
  aqscore completion zsh > ~/.zfunc/_aqscore         a folder of $fpath
  aqscore completion fish > ~/.config/fish/completions/aqscore.fish
"""
SHELLS = ("bash", "zsh", "fish")
# shtab writes "one or more" as zsh's "optional", which completes the first file only.
SEVERAL_FILES = ('"(*)::', '"*:')
FILES, FOLDERS = {"A", "B", "FILE", "PATH", "RESULTS"}, {"FOLDER"}  # metavars of arguments


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of ``aqscore completion``."""
    parser.set_defaults(run=run)
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument("shell", choices=SHELLS)


def run(options: argparse.Namespace) -> int:
    """Prints the script. Returns 0."""
    import shtab

    from aqscore.cli.main import command_parser

    parser = command_parser()
    for action in _actions(parser):
        if action.metavar in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar in FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    text = shtab.complete(parser, options.shell)
    if options.shell == "zsh":
        text = text.replace(*SEVERAL_FILES)
    print(text)
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """All options and arguments, those of subcommands too."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                yield from _actions(subparser)
