"""Waiting for something to become true, with a limit and a text that says what was missing."""

import time
from collections.abc import Callable

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.5


def wait_until[T](condition: Callable[[], T | None], what: str, limit_s: float) -> T:
    """Asks ``condition`` again and again, ever more slowly, and returns its first true answer.

    Raises TimeoutError, which names ``what``, when there is none after ``limit_s`` seconds.
    """
    deadline = time.monotonic() + limit_s
    pause = FIRST_PAUSE_S
    while not (answer := condition()):
        if time.monotonic() >= deadline:
            raise TimeoutError(f"Waited {limit_s:g} s for {what}, in vain.")
        time.sleep(pause)
        pause = min(1.3 * pause, LONGEST_PAUSE_S)
    return answer
