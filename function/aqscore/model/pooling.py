"""Frame scores and the power mean that pools them into the score of a recording."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aqscore.scale import HIGHEST


class FrameScores(NamedTuple):
    """The network's output for successive frames; all (frames,) float32."""

    score: NDArray[np.float32]  # MOS-LQO of a recording that sounds like this frame throughout
    weight: NDArray[np.float32]  # above 0: how much the frame counts in the overall score
    speech: NDArray[np.float32]  # 0 to 1: probability of speech in the frame

    def part(self, start: int | None, stop: int | None) -> "FrameScores":
        return FrameScores(*(values[start:stop] for values in self))

    def distances(self, power: float) -> NDArray[np.float64]:
        """(frames,) float64: weight times distance from the best score, to that power.

        The sum of these over any stretch and the sum of its weights give the stretch's score by ``pooled``.
        """
        distances: NDArray[np.float64] = np.maximum(HIGHEST - self.score, 0, dtype=np.float64) ** power
        return self.weight * distances

    def overall(self, power: float) -> float:
        """The score of all frames together, MOS-LQO."""
        return float(pooled(self.distances(power).sum(), self.weight.sum(dtype=np.float64), power))


def pooled(distances: Any, weights: Any, power: float) -> Any:
    """The score, or (n,) scores, at the weighted power mean of the distances from the best one, MOS-LQO.

    ``distances`` and ``weights`` are sums as of ``FrameScores.distances``: numbers, or (n,) arrays. With a
    power above 1, the worst frames count for most. PESQ pools its disturbance over time in the same manner:
    by the sixth power within intervals of 320 ms, by the second over these (ITU-T P.862, 10.2.13 and
    10.2.14).
    """
    return HIGHEST - np.maximum(distances / weights, 0) ** (1 / power)
