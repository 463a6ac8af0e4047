"""LocalStack as our tests need it: ``python -m aqscore_localstack``.

It ends when its standard input is closed, which also happens when whoever started it is killed and has
no time to stop it. It must lead a process group of its own, and nothing of that group is left.
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
    # LocalStack's own way out takes seconds, and at times never comes to an end (its event loop is
    # stopped from another thread). Nothing that it would save is wanted.
    os.killpg(os.getpid(), signal.SIGKILL)


s3_events.mend()
threading.Thread(target=_end_with_standard_input, daemon=True).start()
main()
