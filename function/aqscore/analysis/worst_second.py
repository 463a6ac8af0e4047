"""The worst second of a recording: the lowest score over a rolling window of frames."""

import numpy as np
from numpy.typing import NDArray

from aqscore.model.features import SPEC
from aqscore.model.pooling import pooled

WINDOW_FRAMES = round(1.0 / SPEC.hop_s)
MIN_SPEECH_SHARE = 0.25  # a second with less speech doesn't count


class WorstSecond:
    """Finds the second with the lowest score, wherever it begins, of those with enough speech.

    A recording shorter than a second counts as one. Memory: one second of frames.
    """

    def __init__(self, power: float) -> None:
        """``power`` is the model's, by which frames are pooled."""
        self.score: float | None = None  # MOS-LQO; None without enough speech
        self.start_frame = 0
        self._power = power
        self._recent = np.empty((3, 0))  # distances, weights and speech of the last frames
        self._count = 0

    def add(
        self, distances: NDArray[np.float64], weights: NDArray[np.float32], speech: NDArray[np.bool_]
    ) -> None:
        """Takes the next (n,) frames: ``FrameScores.distances``, weights, and whether they are speech."""
        frames = np.concatenate([self._recent, np.stack([distances, weights, speech])], axis=1)
        first = self._count - self._recent.shape[1]
        width = min(WINDOW_FRAMES, frames.shape[1])
        distance, weight, spoken = _rolling_sums(frames, width)
        scores = np.where(spoken >= MIN_SPEECH_SHARE * width, pooled(distance, weight, self._power), np.inf)
        at = int(scores.argmin())
        # The score of less than a second counts only until a whole second is known.
        if self._count < WINDOW_FRAMES or self.score is None or scores[at] < self.score:
            self.score = float(scores[at]) if np.isfinite(scores[at]) else None
            self.start_frame = first + at
        self._count += len(distances)
        self._recent = frames[:, -(WINDOW_FRAMES - 1) :]


def _rolling_sums(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """(rows, n) -> (rows, n - width + 1): the sums of each ``width`` neighbours in a row."""
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    return sums[:, width:] - sums[:, :-width]
