"""The measures that the evaluation reports, with bootstrap confidence intervals."""

import warnings
from collections.abc import Callable

import numpy as np
from scipy import stats

from aqscore.scale import HIGHEST, LOWEST

RESAMPLES = 1000


def pearson(true: np.ndarray, predicted: np.ndarray) -> float:
    """Correlation of two (n,) arrays; NaN when either is constant."""
    true, predicted = np.asarray(true, np.float64), np.asarray(predicted, np.float64)
    if np.ptp(true) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(np.corrcoef(true, predicted)[0, 1])


def spearman(true: np.ndarray, predicted: np.ndarray) -> float:
    """Correlation of the ranks of two (n,) arrays, equal values at their mean rank; NaN as ``pearson``."""
    return pearson(stats.rankdata(true), stats.rankdata(predicted))


def rmse(true: np.ndarray, predicted: np.ndarray) -> float:
    """Root of the mean squared error of two (n,) arrays, in their unit."""
    return float(np.sqrt(np.mean(np.square(np.asarray(true, np.float64) - predicted))))


def covered(true: np.ndarray, intervals: list) -> np.ndarray:
    """(n,) 1.0 where the interval, (lower, upper), covers the true score, else 0.0.

    PESQ's own top is 4.6439, the scale's is written 4.64.
    """
    lower, upper = np.array(intervals).reshape(-1, 2).T
    true = np.clip(true, LOWEST, HIGHEST)
    return ((lower <= true) & (true <= upper)).astype(float)


def shared_error(owner: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> float:
    """The part of the error that all clips of one owner share, RMS over owners, in the scores' unit.

    Each argument is (n,). The owner's variance component by analysis of variance: the root of the mean
    product of the errors of two different clips of one owner. 0.0 when their errors are independent; NaN
    when no owner has two clips.
    """
    error = np.asarray(predicted, np.float64) - true
    _, number = np.unique(owner, return_inverse=True)
    count, total, squares = (np.bincount(number, weights) for weights in (None, error, error**2))
    pairs = np.sum(count * (count - 1.0))
    return float(np.sqrt(max(0.0, np.sum(total**2 - squares) / pairs))) if pairs else float("nan")


def roc_auc(positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve of (n,) scores: the chance that a positive scores above a negative.

    Ties count half: Mann and Whitney's U over the number of pairs. NaN without positives or negatives.
    """
    positive, score = np.asarray(positive, bool), np.asarray(score)
    pairs = np.count_nonzero(positive) * np.count_nonzero(~positive)
    if not pairs:
        return float("nan")
    u = stats.mannwhitneyu(score[positive], score[~positive], method="asymptotic").statistic
    return float(u / pairs)


def bootstrap(measure: Callable[..., float], *columns: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of ``measure(*columns)``, rows resampled together (Efron 1979).

    Resamples without a value are left out; NaN, NaN when none has one or there are fewer than two rows.
    """
    if len(columns[0]) < 2:
        return float("nan"), float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # resamples without a value
        values = stats.bootstrap(
            columns,
            measure,
            paired=True,
            vectorized=False,
            n_resamples=RESAMPLES,
            method="percentile",
            rng=np.random.default_rng(seed),
        ).bootstrap_distribution
    if np.isnan(values).all():
        return float("nan"), float("nan")
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)
