"""Runs LocalStack for demo and tests: ``python -m aqscore_localstack``.

It ends when its standard input is closed, which also happens when the process that started it is killed. It
must lead a process group of its own, and ends all processes of that group.
"""

import os
import signal
import sys
import threading

from localstack.runtime.main import main

from aqscore_localstack import s3_events
from aqscore_localstack.environments import environments


def _end_with_standard_input() -> None:
    while sys.stdin.buffer.read(1):
        pass
    environments.end()
    # LocalStack's own shutdown takes seconds and sometimes hangs (its event loop is stopped from another
    # thread). It has no state worth saving.
    os.killpg(os.getpid(), signal.SIGKILL)


s3_events.patch()
threading.Thread(target=_end_with_standard_input, daemon=True).start()
main()
