"""The peak and the clipping of samples at their own sample rate, before any resampling."""

import numpy as np
from numpy.typing import NDArray

# Full scale in 16 bits is 32767/32768; two such samples in a row count as clipping.
FULL_SCALE = 0.9999


class PeakStatistics:
    """Gathers peak and clipping over successive blocks."""

    def __init__(self) -> None:
        self.peak = 0.0  # largest magnitude, full scale 1.0
        self._clipped = 0
        self._samples = 0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Takes the next (n, channels) samples, n from 1."""
        magnitudes = np.abs(samples)
        self.peak = max(self.peak, float(magnitudes.max()))
        full = magnitudes >= FULL_SCALE
        self._clipped += int(np.count_nonzero(full[1:] & full[:-1]))
        self._samples += samples.size

    @property
    def clipped_share(self) -> float:
        """Share of the samples that follow another one at full scale and are there themselves, 0 to 1."""
        return self._clipped / self._samples if self._samples else 0.0
