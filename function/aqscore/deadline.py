"""A point in time after which the work on a recording must stop."""

import math
import time

from aqscore.errors import OutOfTime


class Deadline:
    """The end of a time limit that begins now."""

    def __init__(self, time_limit_s: float = math.inf) -> None:
        """``time_limit_s`` is in seconds; infinity means no limit."""
        self._time_limit_s = time_limit_s
        self._at = time.perf_counter() + time_limit_s

    @property
    def remaining_s(self) -> float:
        """Seconds until then, 0 or less after it."""
        return self._at - time.perf_counter()

    def check(self) -> None:
        """Raises OutOfTime from then on."""
        if self.remaining_s <= 0:
            raise self.exceeded()

    def exceeded(self) -> OutOfTime:
        """The error for work that the time limit ends."""
        return OutOfTime(f"Scoring takes longer than the time limit of {self._time_limit_s:g} s.")
