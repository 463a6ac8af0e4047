"""Sums over each second of a recording, in bounded memory for any length of recording."""

import numpy as np
from numpy.typing import NDArray

from aqscore.model.features import SPEC

SECOND_S = 1.0
MAX_STRETCHES = 3_600


class Stretches:
    """Adds up values by the second; in a recording of more than an hour, by stretches of 2^k seconds."""

    def __init__(self, columns: int) -> None:
        self.length_s = SECOND_S  # of a stretch
        self.sums = np.zeros((0, columns))  # (stretches, columns)

    def add(self, at_s: NDArray[np.float64], values: NDArray[np.float64]) -> None:
        """Takes (n, columns) values, n from 1, and the times that they belong to, (n,), ascending."""
        while at_s[-1] >= self.length_s * MAX_STRETCHES:
            padded = np.pad(self.sums, ((0, len(self.sums) % 2), (0, 0)))
            self.sums = padded.reshape(-1, 2, padded.shape[1]).sum(axis=1)
            self.length_s *= 2
        index = (at_s / self.length_s).astype(np.int64)
        grown = max(len(self.sums), int(index[-1]) + 1)
        self.sums = np.pad(self.sums, ((0, grown - len(self.sums)), (0, 0)))
        for column in range(self.sums.shape[1]):
            self.sums[:, column] += np.bincount(index, values[:, column], minlength=grown)


def centres_s(first: int, count: int) -> NDArray[np.float64]:
    """(count,) the centres of successive frames, of which the first has that number."""
    return SPEC.first_centre_s + SPEC.hop_s * np.arange(first, first + count, dtype=np.float64)
