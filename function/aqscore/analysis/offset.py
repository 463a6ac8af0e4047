"""The DC offset of a recording: the mean of its samples."""

import numpy as np
from numpy.typing import NDArray


class Offset:
    """Adds up the samples in front of the high-pass filter."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._samples = 0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Takes the next (n,) samples."""
        self._sum += float(samples.sum(dtype=np.float64))
        self._samples += len(samples)

    @property
    def mean(self) -> float:
        """The mean of all samples, full scale 1.0; 0.0 without any."""
        return self._sum / self._samples if self._samples else 0.0
