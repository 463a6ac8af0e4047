"""The active speech level: ITU-T P.56 (12/2011), method B."""

import numpy as np
from numpy.typing import NDArray

from aqscore.model.features import SPEC

STEP = 16  # samples: the envelope is known each millisecond
STEPS = SPEC.hop // STEP  # in a hop
STEP_S = STEP / SPEC.sample_rate_hz
TIME_CONSTANT_S = 0.03  # of both stages of the envelope's smoothing (clause 7.1)
HANGOVER = round(0.2 / STEP_S)  # steps for which speech stays active (clause 7.1)
MARGIN_DB = 15.9  # between the active level and the threshold of activity (clause 7.1)
KERNEL_S = 0.36  # twelve time constants: 99.99 % of the impulse response
# P.56 has thresholds a factor 2 apart and interpolates. Steps of 1 dB need less interpolation.
LOWEST_DB, HIGHEST_DB = -120, 200


def _kernel() -> NDArray[np.float32]:
    """The impulse response of two first-order low-pass filters in series, at 1 kHz; its sum is 1."""
    decay = np.exp(-STEP_S / TIME_CONSTANT_S)
    at = np.arange(round(KERNEL_S / STEP_S))
    response = (1 - decay) ** 2 * (at + 1) * decay**at
    kernel: NDArray[np.float32] = (response / response.sum()).astype(np.float32)
    return kernel


_KERNEL = _kernel()
_MEAN = np.full(STEP, 1 / STEP, np.float32)


class EnvelopeStream:
    """The envelope of successive hops, each value held for the hangover."""

    def __init__(self) -> None:
        self._magnitudes = np.zeros(len(_KERNEL) - 1, np.float32)
        self._recent = np.zeros(HANGOVER, np.float32)

    def push(self, hops: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 256) samples at 16 kHz, n from 1 -> (n, 16): the highest envelope of the last 0.2 s."""
        means = np.abs(hops).reshape(-1, STEP) @ _MEAN
        magnitudes = np.concatenate([self._magnitudes, means])
        envelope = np.concatenate([self._recent, np.convolve(magnitudes, _KERNEL, "valid")])
        self._magnitudes = magnitudes[-(len(_KERNEL) - 1) :]
        self._recent = envelope[-HANGOVER:]
        return _trailing_maximum(envelope, HANGOVER + 1).reshape(-1, STEPS)


class ActiveLevel:
    """The level of the hops that are added, without the pauses between them."""

    def __init__(self) -> None:
        self._energy = 0.0  # mean square times steps
        self._histogram = np.zeros(HIGHEST_DB - LOWEST_DB, np.int64)  # of the envelope

    def add(self, powers: NDArray[np.float32], envelopes: NDArray[np.float32]) -> None:
        """Takes the mean squares (n,) of hops and their (n, 16) values from EnvelopeStream."""
        self._energy += float(powers.sum(dtype=np.float64)) * STEPS
        decibels = 20 * np.log10(np.maximum(envelopes, 10 ** (LOWEST_DB / 20)))
        bins = np.clip(np.floor(decibels - LOWEST_DB), 0, len(self._histogram) - 1).astype(int)
        self._histogram += np.bincount(bins.ravel(), minlength=len(self._histogram))

    @property
    def dbfs(self) -> float | None:
        """The active level in dB relative to full scale (RMS); None without sound.

        It is the level over the time in which the envelope exceeds a threshold 15.9 dB below it (clause 7.2).
        """
        active = np.cumsum(self._histogram[::-1])[::-1]  # steps with an envelope of at least each threshold
        known = np.flatnonzero(active[1:]) + 1  # the lowest bin holds what is below all thresholds
        if self._energy <= 0 or len(known) == 0:
            return None
        thresholds = LOWEST_DB + known
        levels = 10 * np.log10(self._energy / active[known])
        margins = levels - thresholds  # falls as the threshold rises
        above = int(np.searchsorted(-margins, -MARGIN_DB))
        if above == 0:
            return float(levels[0])
        if above == len(known):
            return float(levels[-1])
        share = (margins[above - 1] - MARGIN_DB) / (margins[above - 1] - margins[above])
        return float(levels[above - 1] + share * (levels[above] - levels[above - 1]))


def _trailing_maximum(values: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """(n,) -> (n - width + 1,): the maximum of each ``width`` neighbours."""
    reach = 1
    while 2 * reach <= width:
        values = np.maximum(values[reach:], values[:-reach])
        reach *= 2
    rest = width - reach
    return np.maximum(values[rest:], values[: len(values) - rest])
