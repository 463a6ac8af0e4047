"""The peaks and the clipping of channels at the original sample rate, before any resampling."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BINS_PER_DECADE = 1000  # of magnitudes: 0.02 dB each
BINS = 200  # 4 dB below the rail
RAIL_BINS = 2
BELOW_BINS = 35  # 0.7 dB: more than a step of G.711 at any level
STEP = 1.01 / 32768  # equal samples differ by less than this: dither moves a rail by one step of 16 bits
MIN_LONE_RAIL = 0.05  # with no sample in the 4 dB below, a lower peak is the lowest step of a coarse format
MIN_SAMPLES = 8  # in runs at a rail; at the peak of any recording two or three samples may be equal


class _Rail:
    """The samples near the largest magnitude so far, on one side of zero."""

    def __init__(self, sign: int) -> None:
        self.peak = 0.0
        self._sign = sign
        self._top = 0  # the bin of the peak
        self._all = np.zeros(BINS, np.int64)  # row i: samples i bins below the peak
        self._in_runs = np.zeros(BINS, np.int64)  # those equal to the sample before

    def add(self, samples: NDArray[np.float32], before: np.float32) -> None:
        """Takes the next (n,) samples, of either sign; ``before`` precedes them."""
        peak = float(samples.max() if self._sign > 0 else -samples.min())
        if peak > self.peak:
            self._raise_to(peak)
        if self.peak <= 0:
            return
        edge = self._sign * self.peak * 10 ** (-(BINS - 1) / BINS_PER_DECADE)
        near = np.flatnonzero(samples >= edge if self._sign > 0 else samples <= edge)
        values = samples[near]
        previous = np.where(near > 0, samples[near - 1], before)
        below = np.clip(self._top - _bins(np.abs(values)), 0, BINS - 1)
        self._all += np.bincount(below, minlength=BINS)
        equal = np.abs(values - previous) < STEP
        self._in_runs += np.bincount(below[equal], minlength=BINS)

    @property
    def clipped(self) -> int:
        """The samples in runs at the peak, if there are more of them than samples just below it.

        The values of sound get rarer towards its peak. Those of clipped sound pile up there.
        """
        found = int(self._in_runs[:RAIL_BINS].sum())
        others = self._all[RAIL_BINS:]
        occupied = np.flatnonzero(others)
        if len(occupied) == 0:
            return found if found >= MIN_SAMPLES and self.peak >= MIN_LONE_RAIL else 0
        nearest = max(BELOW_BINS - RAIL_BINS, int(occupied[0]) + 1)
        return found if found >= max(MIN_SAMPLES, int(others[:nearest].sum())) else 0

    def _raise_to(self, peak: float) -> None:
        top = int(_bins(np.array([peak], np.float32))[0])
        shift = min(top - self._top, BINS) if self.peak > 0 else BINS
        for counts in (self._all, self._in_runs):
            counts[shift:] = counts[: BINS - shift].copy()
            counts[:shift] = 0
        self.peak, self._top = peak, top


class PeakStatistics:
    """Gathers the peak and the clipping of each channel over successive blocks.

    Clipping is a run of equal samples at the channel's own peak: recordings that were clipped and then turned
    down, or whose format ends below full scale as G.711's does, are clipped all the same. Samples beyond full
    scale in a floating-point file are not, unless they end in such runs. A lossy codec after the clipping
    makes the samples differ: what is left, many samples near the peak, is what a limiter leaves, too.
    """

    def __init__(self, channels: int) -> None:
        self._rails = [(_Rail(1), _Rail(-1)) for _ in range(channels)]
        self._last = np.full(channels, np.nan, np.float32)
        self._samples = 0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Takes the next (n, channels) samples, n from 1."""
        for channel, rails in enumerate(self._rails):
            values = np.ascontiguousarray(samples[:, channel])
            for rail in rails:
                rail.add(values, self._last[channel])
        self._last = samples[-1].copy()
        self._samples += len(samples)

    def peak(self, channels: Sequence[int]) -> float:
        """The largest magnitude in these channels, full scale 1.0."""
        return max(rail.peak for channel in channels for rail in self._rails[channel])

    def clipped_share(self, channels: Sequence[int]) -> float:
        """Share of the samples of these channels that continue a run at the peak, 0 to 1."""
        clipped = sum(rail.clipped for channel in channels for rail in self._rails[channel])
        return clipped / (self._samples * len(channels)) if self._samples else 0.0


def _bins(magnitudes: NDArray[np.float32]) -> NDArray[np.int64]:
    decades = np.log10(magnitudes, dtype=np.float64)
    bins: NDArray[np.int64] = np.floor(decades * BINS_PER_DECADE).astype(np.int64)
    return bins
