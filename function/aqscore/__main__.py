"""``python -m aqscore`` is the command ``aqscore``."""

import signal
import sys


def command() -> int:
    """Runs the command with the arguments of the process; returns the exit status."""
    # Until main() installs a handler of its own, Ctrl-C ends the process without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from aqscore.cli.main import main

    return main()


if __name__ == "__main__":
    sys.exit(command())
