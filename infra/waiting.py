"""Waiting for something to become true, with a limit and a text that says what was missing."""

import time
from collections.abc import Callable

from botocore.client import BaseClient

CALM_ANSWERS = 4  # in a row, of an empty queue
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


class Backlog:
    """The messages of a queue that are not dealt with yet: visible ones, and those in work or hidden."""

    _COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

    def __init__(self, sqs: BaseClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._calm = 0
        self.latest = 0  # how many there were when last asked

    def is_cleared(self) -> bool:
        """Asks SQS, and says whether there were none several times in a row: on its way from one of its
        approximate counts to the other a message is in neither."""
        answer = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=list(self._COUNTS))
        self.latest = sum(int(answer["Attributes"][name]) for name in self._COUNTS)
        self._calm = 0 if self.latest else self._calm + 1
        return self._calm >= CALM_ANSWERS
