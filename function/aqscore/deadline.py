"""The time limit of the work on a recording: it stops then, or earlier if it can't be finished in time."""

import math
import time
from collections.abc import Callable

from aqscore.errors import OutOfTime

# An estimate counts from then on, because the first seconds also hold the start of processes. It must exceed
# the limit by this factor: the parts of a recording take different times.
ESTIMATE_FROM_S = 5.0
ESTIMATE_MARGIN = 1.2


class Deadline:
    """The end of a time limit that begins now."""

    def __init__(
        self, time_limit_s: float = math.inf, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """``time_limit_s`` is in seconds; infinity means no limit. ``clock`` returns seconds."""
        self._time_limit_s = time_limit_s
        self._clock = clock
        self._started = clock()

    @property
    def remaining_s(self) -> float:
        """Seconds until then, 0 or less after it."""
        return self._time_limit_s - (self._clock() - self._started)

    def check(self, progress: float = 1.0) -> None:
        """Raises OutOfTime from then on, or earlier if the work will not be done by then.

        ``progress`` is the share of the work that is done, 0 to 1.
        """
        if self.remaining_s <= 0:
            raise self.exceeded()
        spent_s = self._clock() - self._started
        if spent_s >= ESTIMATE_FROM_S and spent_s > ESTIMATE_MARGIN * self._time_limit_s * progress:
            whole = f"about {spent_s / progress:.0f} s" if progress > 0 else "far longer"
            raise OutOfTime(f"Scoring would take {whole}; the time limit is {self._time_limit_s:g} s.")

    def exceeded(self) -> OutOfTime:
        """The error for work that the time limit ends."""
        return OutOfTime(f"Scoring takes longer than the time limit of {self._time_limit_s:g} s.")
