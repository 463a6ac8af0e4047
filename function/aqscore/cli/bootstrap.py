"""Bootstrap intervals of a mean difference: between pairs, and between two independent sets.

Source: B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 13 (percentile
interval) and 16 (tests).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 4_000
COVERAGE = 0.95
SEED = 0  # the same numbers for the same scores
MIN_SAMPLES = 6  # in fewer, percentile intervals are too narrow to decide anything
MAX_DRAWS = 1 << 20  # at a time: a bound on memory


@dataclass(frozen=True)
class Difference:
    """A mean difference, its 95 % interval, and the two-sided p-value of no difference.

    The interval and p are None where there are too few samples.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None

    @property
    def significant(self) -> bool | None:
        """Whether the interval excludes 0; None where there is no interval."""
        return None if self.low is None or self.high is None else not self.low <= 0 <= self.high


def paired_difference(before: Sequence[float], after: Sequence[float]) -> Difference:
    """The mean of ``after - before`` over pairs, of which there must be one or more."""
    differences = np.asarray(after, float) - np.asarray(before, float)
    mean = float(differences.mean())
    if len(differences) < MIN_SAMPLES:
        return Difference(mean, None, None, None)
    return _difference(mean, np.concatenate([*_resampled_means(differences, SEED)]))


def unpaired_difference(before: Sequence[float], after: Sequence[float]) -> Difference:
    """The mean of ``after`` less that of ``before``, two independent sets of one value or more each."""
    first, second = np.asarray(before, float), np.asarray(after, float)
    mean = float(second.mean() - first.mean())
    if min(len(first), len(second)) < MIN_SAMPLES:
        return Difference(mean, None, None, None)
    means = [
        np.concatenate([*_resampled_means(values, SEED + i)]) for i, values in enumerate((first, second))
    ]
    return _difference(mean, means[1] - means[0])


def _resampled_means(values: NDArray[Any], seed: int) -> Iterator[NDArray[Any]]:
    """The means of RESAMPLES samples with replacement, in parts."""
    rng = np.random.default_rng(seed)
    size = max(1, MAX_DRAWS // len(values))
    for start in range(0, RESAMPLES, size):
        count = min(size, RESAMPLES - start)
        yield values[rng.integers(len(values), size=(count, len(values)))].mean(axis=1)


def _difference(mean: float, resampled: NDArray[Any]) -> Difference:
    low, high = np.quantile(resampled, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    beyond = min(np.count_nonzero(resampled <= 0), np.count_nonzero(resampled >= 0))
    p = min(1.0, 2 * (beyond + 1) / (RESAMPLES + 1))
    return Difference(mean, float(low), float(high), float(p))
