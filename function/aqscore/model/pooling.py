"""Frame scores and the power mean that pools them into the score of a recording."""

from typing import NamedTuple

import numpy as np

from aqscore.scale import HIGHEST


class FrameScores(NamedTuple):
    """What the network says of each frame; all (frames,) float32."""

    score: np.ndarray  # MOS-LQO: what the recording would score if all of it sounded like this frame
    weight: np.ndarray  # above 0: how much the frame counts in the overall score
    speech: np.ndarray  # 0 to 1: probability that somebody speaks

    def part(self, start: int, stop: int) -> "FrameScores":
        return FrameScores(*(values[start:stop] for values in self))

    def distances(self, power: float) -> np.ndarray:
        """(frames,) float64: weight times distance from the best score, to that power.

        Over any stretch, ``pooled`` of their sum and the sum of the weights is the stretch's score.
        """
        return self.weight * np.maximum(HIGHEST - self.score, 0, dtype=np.float64) ** power

    def overall(self, power: float) -> float:
        """The score of all frames together, MOS-LQO."""
        return pooled(self.distances(power).sum(), self.weight.sum(dtype=np.float64), power)


def pooled(distances, weights, power: float):
    """The score, or (n,) scores, at the weighted power mean of the distances from the best one, MOS-LQO.

    With a power above 1 the worst frames count for most, as PESQ pools its disturbance over time: by the
    sixth power in intervals of 320 ms, by the second over these (ITU-T P.862, 10.2.13 and 10.2.14).
    """
    return HIGHEST - np.maximum(distances / weights, 0) ** (1 / power)
