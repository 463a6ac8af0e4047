"""LocalStack that ends with whoever started it: ``python -m aqscore_localstack``.

It runs until its standard input is closed, which also happens when the other side is killed and has no
time to stop it.
"""

import os
import signal
import sys
import threading

from localstack.runtime.main import main


def _end_with_standard_input() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=_end_with_standard_input, daemon=True).start()
main()
