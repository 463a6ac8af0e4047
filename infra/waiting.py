"""Waits for a condition, with a time limit and an error message that names the condition."""

import time
from collections.abc import Callable

from botocore.client import BaseClient

EMPTY_ANSWERS = 4  # in a row, before a queue counts as empty
FIRST_PAUSE_S = 0.05
MAX_PAUSE_S = 0.5


def wait_until[T](condition: Callable[[], T | None], what: str, limit_s: float) -> T:
    """Polls ``condition`` with growing pauses and returns its first true value.

    Raises TimeoutError, which names ``what``, after ``limit_s`` seconds.
    """
    deadline = time.monotonic() + limit_s
    pause = FIRST_PAUSE_S
    while not (answer := condition()):
        if time.monotonic() >= deadline:
            raise TimeoutError(f"Waited {limit_s:g} s for {what} without success.")
        time.sleep(pause)
        pause = min(1.3 * pause, MAX_PAUSE_S)
    return answer


class Backlog:
    """The messages of a queue that are not processed yet: visible, in flight or hidden."""

    _COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

    def __init__(self, sqs: BaseClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._empty_answers = 0
        self.latest = 0  # messages at the last request

    def is_cleared(self) -> bool:
        """Asks SQS for its approximate counts; True once both were zero EMPTY_ANSWERS times in a row.

        A message that moves from one count to the other can be missing in both for a moment.
        """
        answer = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=list(self._COUNTS))
        self.latest = sum(int(answer["Attributes"][name]) for name in self._COUNTS)
        self._empty_answers = 0 if self.latest else self._empty_answers + 1
        return self._empty_answers >= EMPTY_ANSWERS
