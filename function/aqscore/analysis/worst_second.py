"""The worst second of a recording: the lowest score over a rolling window of frames."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aqscore.analysis.second_causes import causes_in, main_cause
from aqscore.causes import CauseKind
from aqscore.model.features import SPEC
from aqscore.model.pooling import FrameScores, joined, no_frames, pooled

WINDOW_FRAMES = round(1.0 / SPEC.hop_s)
MIN_SPEECH_SHARE = 0.25  # a second with less speech doesn't count


class WorstSecond:
    """Finds the second with the lowest score, wherever it begins, of those with enough speech.

    A recording shorter than a second counts as one. Memory: one second of frames.
    """

    def __init__(self, speech_probability: float, power: float, cause_thresholds: Sequence[float]) -> None:
        """Frames with at least ``speech_probability`` count as speech.

        ``power`` and ``cause_thresholds`` (8,) are the model's, see ``pooled`` and ``causes_in``.
        """
        self.score: float | None = None  # MOS-LQO; None without enough speech
        self.start_frame = 0
        self.cause: CauseKind | None = None  # that costs most in this second
        self._speech_probability = speech_probability
        self._power = power
        self._cause_thresholds = np.asarray(cause_thresholds, np.float64)
        self._recent = no_frames()  # the last frames
        self._count = 0

    def add(self, scores: FrameScores) -> None:
        """Takes the next frames, at least one."""
        frames = joined([self._recent, scores])
        first = self._count - len(self._recent.score)
        width = min(WINDOW_FRAMES, len(frames.score))
        spoken = frames.speech >= self._speech_probability
        rows = np.stack([frames.distances(self._power), frames.weight, spoken])
        distance, weight, speech = _rolling_sums(rows, width)
        lowest = np.where(speech >= MIN_SPEECH_SHARE * width, pooled(distance, weight, self._power), np.inf)
        at = int(lowest.argmin())
        # The score of less than a second counts only until a whole second is known.
        if self._count < WINDOW_FRAMES or self.score is None or lowest[at] < self.score:
            self.score = float(lowest[at]) if np.isfinite(lowest[at]) else None
            self.start_frame = first + at
            found = causes_in(frames.part(at, at + width), np.array([width]), self._cause_thresholds)
            self.cause = main_cause(found.likely_costs[0])
        self._count += len(scores.score)
        self._recent = frames.part(-(WINDOW_FRAMES - 1), None)


def _rolling_sums(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """(rows, n) -> (rows, n - width + 1): the sums of each ``width`` neighbours in a row."""
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    return sums[:, width:] - sums[:, :-width]
