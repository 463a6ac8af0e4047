"""The channels of a recording: levels, cancellation, and which of them to mix."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HOP_S = 0.02
GROUP = 10  # hops; their median power is the level of 0.2 s, which a click doesn't change
SILENT_DB = 40.0  # a channel whose loudest 0.2 s lie so far below those of the loudest one is silent
CANCEL_DB = 6.0  # the mix of a hop lies so far below the sum of powers where channels cancel each other
MAX_CANCELLED_SHARE = 0.25  # of the energy
FLOOR_PERCENTILE = 10.0  # of the power of hops: the noise between words
MIN_KNOWN_SHARE = 0.9  # of the time without digital silence, which hides the noise
MIN_RANGE_DB = 20.0  # speech over noise; a channel with less is the worse one where another has
RANGE_DIFFERENCE_DB = 15.0  # so much more
LOWEST_DB, HIGHEST_DB = -140, 200  # of the histogram of powers


@dataclass(frozen=True)
class Mix:
    """The channels whose mean is scored, counted from 0, and the reason why others are left out."""

    channels: tuple[int, ...]
    silent: tuple[int, ...] = ()
    cancels: bool = False  # the channels cancel each other, so the loudest stands for all


class NoiseContrast(NamedTuple):
    """Two channels, counted from 0, of which one is much noisier; dB from its noise to its loudest sound."""

    better: int
    worse: int
    better_db: float
    worse_db: float


class ChannelStatistics:
    """Compares channels over successive blocks, in bounded memory, however the blocks are cut."""

    def __init__(self, channels: int, sample_rate_hz: int) -> None:
        self._hop = max(2, round(HOP_S * sample_rate_hz))
        self._rest = np.empty((0, channels), np.float32)
        self._powers = np.empty((0, channels))  # of the hops that don't fill a group yet
        self._energy = np.zeros(channels)
        self._cancelled = 0.0
        self._loudest = np.zeros(channels)
        self._hops = 0
        self._histogram = np.zeros((channels, HIGHEST_DB - LOWEST_DB), np.int64)

    def add(self, samples: NDArray[np.float32]) -> None:
        """Takes the next (n, channels) samples."""
        self._rest = np.concatenate([self._rest, samples])
        count = len(self._rest) // self._hop
        hops = self._rest[: count * self._hop].reshape(count, self._hop, samples.shape[1])
        self._rest = self._rest[count * self._hop :].copy()
        self._add_hops(hops)

    @property
    def mix(self) -> Mix:
        """The mix that the samples so far suggest. Silent channels are left out, and so are all but the
        loudest where channels cancel each other."""
        everything = tuple(range(len(self._energy)))
        loudest, energy = self._loudest, self._energy
        if len(self._powers):  # less than a group at the end
            loudest = np.maximum(loudest, np.median(self._powers, axis=0))
        if not loudest.any():
            return Mix(everything)
        quiet = loudest < loudest.max() * 10 ** (-SILENT_DB / 10)
        silent = tuple(int(channel) for channel in np.flatnonzero(quiet))
        active = tuple(channel for channel in everything if channel not in silent)
        if len(active) > 1 and self._cancelled > MAX_CANCELLED_SHARE * energy.sum():
            return Mix((int(np.argmax(np.where(quiet, 0, energy))),), silent, cancels=True)
        return Mix(active, silent)

    @property
    def contrast(self) -> NoiseContrast | None:
        """The channel with the least noise and the one with the most, if they are far apart.

        Silent channels don't count, nor do those with much digital silence: their noise is not known.
        """
        ranges = {}
        silent = self.mix.silent
        for channel, counts in enumerate(self._histogram):
            known = counts.sum()
            if channel in silent or known < MIN_KNOWN_SHARE * self._hops or known < GROUP:
                continue
            below = np.cumsum(counts) >= FLOOR_PERCENTILE / 100 * known
            floor_db = LOWEST_DB + int(np.argmax(below)) + 0.5
            if self._loudest[channel] > 0:
                ranges[channel] = float(10 * np.log10(self._loudest[channel]) - floor_db)
        if len(ranges) < 2:
            return None
        worse, better = (pick(ranges, key=ranges.__getitem__) for pick in (min, max))
        far = ranges[better] - ranges[worse] >= RANGE_DIFFERENCE_DB
        if not far or ranges[worse] >= MIN_RANGE_DB:
            return None
        return NoiseContrast(better, worse, ranges[better], ranges[worse])

    def _add_hops(self, hops: NDArray[np.float32]) -> None:
        """Takes (hops, samples, channels)."""
        if len(hops) == 0:
            return
        # Variances: a DC offset that channels share must not hide that their speech cancels.
        columns = [np.ascontiguousarray(hops[:, :, channel]) for channel in range(hops.shape[2])]
        powers = np.stack([_variances(column) for column in columns], axis=1)
        mixed = columns[0]
        for column in columns[1:]:
            mixed += column
        mixed_power = _variances(mixed)
        total = powers.sum(axis=1)
        self._energy += powers.sum(axis=0)
        self._cancelled += float(total[mixed_power < total * 10 ** (-CANCEL_DB / 10)].sum())
        self._hops += len(hops)
        for channel, power in enumerate(powers.T):
            decibels = 10 * np.log10(power[power > 0])
            bins = np.clip(np.floor(decibels).astype(int) - LOWEST_DB, 0, HIGHEST_DB - LOWEST_DB - 1)
            self._histogram[channel] += np.bincount(bins, minlength=HIGHEST_DB - LOWEST_DB)
        grouped = np.concatenate([self._powers, powers])
        count = len(grouped) // GROUP
        groups = grouped[: count * GROUP].reshape(count, GROUP, powers.shape[1])
        self._powers = grouped[count * GROUP :]
        if count:
            self._loudest = np.maximum(self._loudest, np.median(groups, axis=1).max(axis=0))


def _variances(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, samples) float32 -> (n,) float64: the variance of each row."""
    squares = np.einsum("ij,ij->i", rows, rows) / rows.shape[1]
    variances: NDArray[np.float64] = np.maximum(squares - rows.mean(axis=1) ** 2, 0.0).astype(np.float64)
    return variances
