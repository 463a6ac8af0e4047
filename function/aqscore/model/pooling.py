"""The network's outputs for frames, and the power mean that pools their scores into a recording's."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aqscore.causes import CAUSES
from aqscore.scale import HIGHEST


class FrameScores(NamedTuple):
    """The network's outputs for successive frames: (frames,) float32, of the causes (frames, 8).

    The kinds of causes are in the order of ``aqscore.causes.CAUSES``.
    """

    score: NDArray[np.float32]  # MOS-LQO of a recording that sounds like this frame throughout
    weight: NDArray[np.float32]  # above 0: how much the frame counts in the overall score
    speech: NDArray[np.float32]  # 0 to 1: probability of speech in the frame
    mos: NDArray[np.float32]  # 1 to 5: listeners' MOS of a recording that sounds like this frame throughout
    causes: NDArray[np.float32]  # 0 to 1: probability that each cause is present in the frame
    costs: NDArray[np.float32]  # from 0: MOS-LQO points that each cause costs on its own where it is present

    @property
    def speech_weight(self) -> NDArray[np.float64]:
        """(frames,) float64: how much each frame counts in the MOS and in the causes.

        The square of the speech probability, the weight of the score without its learned factor.
        """
        return np.square(self.speech, dtype=np.float64)

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

    def overall_mos(self) -> float:
        """The mean of the frames' MOS, 1 to 5, weighted by ``speech_weight``; NaN without any speech."""
        weight = self.speech_weight
        total = weight.sum()
        return float(np.dot(weight, self.mos) / total) if total > 0 else float("nan")


def no_frames() -> FrameScores:
    """The outputs of no frames at all."""
    none, no_causes = np.empty(0, np.float32), np.empty((0, len(CAUSES)), np.float32)
    return FrameScores(none, none, none, none, no_causes, no_causes)


def joined(parts: Iterable[FrameScores]) -> FrameScores:
    """The outputs of successive parts, in one."""
    return FrameScores(*(np.concatenate(values) for values in zip(no_frames(), *parts, strict=True)))


def pooled(distances: Any, weights: Any, power: float) -> Any:
    """The score, or (n,) scores, at the weighted power mean of the distances from the best one, MOS-LQO.

    ``distances`` and ``weights`` are sums as of ``FrameScores.distances``: numbers, or (n,) arrays. With a
    power above 1, the worst frames count for most. PESQ pools its disturbance over time in the same manner:
    by the sixth power within intervals of 320 ms, by the second over these (ITU-T P.862, 10.2.13 and
    10.2.14).
    """
    return HIGHEST - np.maximum(distances / weights, 0) ** (1 / power)
