"""Silence in place of the gaps between the timestamps of a container."""

import math

# Smaller steps are rounding, or a clock that runs faster than the samples.
LEAST_GAP_S = 0.01
LEAST_START_S = 0.1  # videos begin their sound up to so late
MAX_JITTER_S = 0.5  # a larger step back is a new beginning
MAX_GAP_S = 6 * 3600.0  # a larger step forward, too
MAX_START_S = 60.0  # unless the header states a longer duration


class Timestamps:
    """Compares the times of successive frames with their lengths."""

    def __init__(self, stated_s: float | None) -> None:
        """``stated_s`` is the duration that the header states, None where it states none."""
        # Pieces of a long broadcast begin at its time, and state their own length.
        self._latest_start_s = max(MAX_START_S, stated_s or 0.0)
        self._expected_s = -math.inf  # the end of the last frame
        self._owed_s = 0.0  # by frames that came late, less those that came early

    @property
    def end_s(self) -> float:
        """The end of the last frame; minus infinity before the first."""
        return self._expected_s

    def gap_before(self, start_s: float | None, duration_s: float) -> float:
        """The seconds of silence before a frame that begins then. None is a frame without a timestamp."""
        if self._expected_s == -math.inf:
            start_s = start_s or 0.0
            self._expected_s = start_s + duration_s
            return start_s if LEAST_START_S <= start_s <= self._latest_start_s else 0.0
        if start_s is None:
            start_s = self._expected_s
        step_s = start_s - self._expected_s
        self._expected_s = start_s + duration_s
        if LEAST_GAP_S <= abs(step_s) <= MAX_GAP_S:
            self._owed_s = max(self._owed_s + step_s, -MAX_JITTER_S)
        if self._owed_s < LEAST_GAP_S:
            return 0.0
        gap_s, self._owed_s = self._owed_s, 0.0
        return gap_s
