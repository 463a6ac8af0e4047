"""LocalStack as our tests need it: ``python -m aqscore_localstack``.

It ends when its standard input is closed, which also happens when whoever started it is killed and has
no time to stop it. And its S3 numbers the versions of an object.
"""

import os
import signal
import sys
import threading

from localstack.runtime.main import main

from aqscore_localstack import sequencer


def _end_with_standard_input() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


sequencer.add()
threading.Thread(target=_end_with_standard_input, daemon=True).start()
main()
