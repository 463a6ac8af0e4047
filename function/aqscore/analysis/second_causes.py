"""The causes that are present in a second, and what they cost there."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aqscore.causes import CAUSES, CauseKind
from aqscore.model.pooling import FrameScores

MIN_SPEECH = 0.05  # mean weight of speech; a second with less has no causes
MIN_COST = 0.05  # MOS-LQO; a cause that costs less is none, because it rounds to 0.0


class SecondCauses(NamedTuple):
    """The causes in n stretches of time, such as seconds; the columns are in the order of ``CAUSES``."""

    speech: NDArray[np.float64]  # (n,) sum of the frames' speech weights; 0 where there is hardly any speech
    present: NDArray[np.bool_]  # (n, 8)
    costs: NDArray[np.float64]  # (n, 8) sum of speech weight times cost; 0 where the cause is not present
    likely_costs: NDArray[np.float64]  # (n, 8) the same times the cause's probability


def causes_in(
    scores: FrameScores, frames: NDArray[np.int64], thresholds: NDArray[np.float64]
) -> SecondCauses:
    """Decides which causes are present in each of n successive stretches.

    ``frames`` (n,) is the number of frames in each stretch, from 1; together they are those of ``scores``. A
    cause is present where the mean of its probability, weighted by speech, reaches its threshold of (8,)
    ``thresholds``, and the mean of its cost ``MIN_COST``.
    """
    weight = scores.speech_weight[:, None]
    starts = np.cumsum(frames) - frames
    speech, probabilities, costs, likely_costs = (
        np.add.reduceat(values, starts, axis=0)
        for values in (
            weight,
            weight * scores.causes,
            weight * scores.costs,
            weight * scores.causes * scores.costs,
        )
    )
    speech = np.where(speech >= MIN_SPEECH * frames[:, None], speech, 0.0)
    present = (speech > 0) & (probabilities >= thresholds * speech) & (costs >= MIN_COST * speech)
    return SecondCauses(speech[:, 0], present, costs * present, likely_costs * present)


def main_cause(likely_costs: Sequence[float] | NDArray[np.float64]) -> CauseKind | None:
    """The kind that costs most, by (8,) sums as of ``SecondCauses.likely_costs``; None where all are 0."""
    most = int(np.argmax(likely_costs))
    return CAUSES[most] if likely_costs[most] > 0 else None
