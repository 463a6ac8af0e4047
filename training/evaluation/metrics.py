"""The measures that the evaluation reports, with bootstrap confidence intervals."""

from collections.abc import Callable

import numpy as np

RESAMPLES = 1000


def pearson(target: np.ndarray, predicted: np.ndarray) -> float:
    """Correlation of two (n,) arrays; NaN when either is constant."""
    target, predicted = np.asarray(target, np.float64), np.asarray(predicted, np.float64)
    if np.ptp(target) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(np.corrcoef(target, predicted)[0, 1])


def spearman(target: np.ndarray, predicted: np.ndarray) -> float:
    """Correlation of the ranks; ties share their mean rank."""
    return pearson(_ranks(target), _ranks(predicted))


def rmse(target: np.ndarray, predicted: np.ndarray) -> float:
    """Root of the mean squared error, in the targets' unit."""
    return float(np.sqrt(np.mean(np.square(np.asarray(target, np.float64) - predicted))))


def shared_error(owner: np.ndarray, target: np.ndarray, predicted: np.ndarray) -> float:
    """How far off the (n,) predictions of one owner are together, RMS over owners, in the targets' unit.

    The root of the mean product of the errors of two different clips of one owner: the owner's variance
    component by analysis of variance. 0.0 when errors don't go together; NaN when no owner has two clips.
    """
    error = np.asarray(predicted, np.float64) - target
    _, number = np.unique(owner, return_inverse=True)
    count, total, squares = (np.bincount(number, weights) for weights in (None, error, error**2))
    pairs = np.sum(count * (count - 1.0))
    return float(np.sqrt(max(0.0, np.sum(total**2 - squares) / pairs))) if pairs else float("nan")


def roc_auc(positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    Mann and Whitney's U over the number of pairs. NaN when there are no positives or no negatives.
    """
    positive = np.asarray(positive, bool)
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return float("nan")
    ranks = _ranks(score)[positive].sum() + positives
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def bootstrap(measure: Callable[..., float], *columns: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % confidence interval of ``measure(*columns)``, rows resampled together (Efron's percentiles).

    NaN, NaN where no resample has a measure: of a model that refuses all, there is nothing to measure.
    """
    columns = [np.asarray(column) for column in columns]
    generator = np.random.default_rng(seed)
    count = len(columns[0])
    values = []
    for _ in range(RESAMPLES):
        rows = generator.integers(0, count, count)
        values.append(measure(*(column[rows] for column in columns)))
    if np.isnan(values).all():
        return float("nan"), float("nan")
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0, the mean rank where values are equal."""
    values = np.asarray(values)
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count + 1) / 2)[place]
