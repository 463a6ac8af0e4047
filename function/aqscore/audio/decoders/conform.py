"""Samples of one sample rate and number of channels to another, as streams that change their format need."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Conform:
    """Brings (n, channels) float32 blocks of one format after the other to one sample rate and channel count.

    Blocks that have it already pass through. A mono block is repeated for each channel; any other count of
    channels is mixed first.
    """

    def __init__(self, sample_rate_hz: int, channels: int) -> None:
        self._rate_hz, self._channels = sample_rate_hz, channels
        self._resampler: Any = None
        self._from_hz = sample_rate_hz

    def add(self, block: NDArray[np.float32], sample_rate_hz: int) -> list[NDArray[np.float32]]:
        """The samples that are ready. A new sample rate ends the stretch before."""
        ready = self.finish() if sample_rate_hz != self._from_hz else []
        if block.shape[1] != self._channels:
            mono = block if block.shape[1] == 1 else block.mean(axis=1, keepdims=True)
            block = np.repeat(mono, self._channels, axis=1)
        if sample_rate_hz == self._rate_hz:
            return [*ready, block]
        if self._resampler is None:
            import soxr  # only for such files

            self._from_hz = sample_rate_hz
            self._resampler = soxr.ResampleStream(
                sample_rate_hz, self._rate_hz, self._channels, dtype="float32", quality="HQ"
            )
        return [
            *ready,
            self._resampler.resample_chunk(np.ascontiguousarray(block)).reshape(-1, self._channels),
        ]

    def finish(self) -> list[NDArray[np.float32]]:
        """The rest of the samples, at the end of a stretch."""
        if self._resampler is None:
            return []
        empty = np.empty((0, self._channels), np.float32)
        rest = self._resampler.resample_chunk(empty, last=True).reshape(-1, self._channels)
        self._resampler, self._from_hz = None, self._rate_hz
        return [rest]
