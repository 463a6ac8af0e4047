"""Messages of the commands on standard error."""

import sys

from aqscore.errors import AqscoreError


def print_error(error: AqscoreError) -> None:
    """One line: the message and the advice."""
    print(f"{error.message} {error.advice}", file=sys.stderr)
