"""Samples to FFT magnitude frames: the one definition, for training and for serving.

The samples are high-passed first, by aqscore.model.high_pass.
"""

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqscore.model.high_pass import CUTOFF_HZ, RATE_HZ, high_pass

LEVEL_FLOOR = 1e-7  # the level is a divisor: with this floor, digital silence stays digital silence


@dataclass(frozen=True)
class FeatureSpec:
    """The definition of the network's input. A model.json carries a copy, which must match this one."""

    sample_rate_hz: int = RATE_HZ
    high_pass_hz: float = CUTOFF_HZ
    frame_length: int = 512
    hop: int = 256
    window: str = "hamming"
    bins: int = 257
    values: str = "linear magnitude over the local level"
    level_reach_s: float = 30.0

    @property
    def hop_s(self) -> float:
        """Seconds from one frame's centre to the next one's."""
        return self.hop / self.sample_rate_hz

    @property
    def first_centre_s(self) -> float:
        """Seconds from the recording's start to the centre of frame 0. Nothing is padded."""
        return self.frame_length / 2 / self.sample_rate_hz

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


SPEC = FeatureSpec()
WINDOW = np.hamming(SPEC.frame_length + 1)[:-1].astype(np.float32)  # periodic, as an FFT needs
LEVEL_REACH = round(SPEC.level_reach_s / SPEC.hop_s)  # frames
# Frames transformed at a time: their windows and spectra, 500 kB, stay in a core's cache.
CHUNK_FRAMES = 128


class FrameStream:
    """Turns blocks of high-passed samples into frames, which don't depend on how the samples are cut.

    Each frame is divided by the level around it, which removes the recording's gain. The level at frame t is
    sum(m^2) / sum(m) over the frames within ``level_reach_s`` of t, where m is a frame's RMS magnitude: the
    mean magnitude, weighted by itself. Pauses and silence therefore add nothing to it, and a recording
    shorter than the reach is divided by one number. The level depends on later frames, so a frame comes out
    ``level_reach_s`` after its samples went in.

    Memory: twice the reach, about 4 MB, whatever the recording's length.
    """

    def __init__(self) -> None:
        self._tail = np.empty(0, np.float32)
        self._waiting: deque[NDArray[np.float32]] = deque()
        self._pushed = 0
        # Running sums of m and m^2, up to and including each frame: row i belongs to frame
        # self._sums_start + i - 1. Each frame adds once, in order, so the sums are the same to the last bit
        # for any block size.
        self._sums = np.zeros((1, 2))
        self._sums_start = 0
        self._emitted = 0

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Takes (n,) float32 samples at 16 kHz; returns the (frames, 257) float32 that are ready."""
        samples = np.concatenate([self._tail, samples])
        magnitudes, loudness = _magnitudes(samples)
        self._tail = samples[len(magnitudes) * SPEC.hop :]
        steps = np.stack([loudness, loudness**2], axis=1)
        self._sums = np.concatenate([self._sums, np.cumsum(np.vstack([self._sums[-1:], steps]), axis=0)[1:]])
        self._waiting.append(magnitudes)
        self._pushed += len(magnitudes)
        return self._emit(self._pushed - self._emitted - LEVEL_REACH)

    def finish(self) -> NDArray[np.float32]:
        """Returns the frames that were waiting for more. Samples short of a whole frame are dropped."""
        return self._emit(self._pushed - self._emitted)

    def _emit(self, count: int) -> NDArray[np.float32]:
        if count <= 0:
            return np.empty((0, SPEC.bins), np.float32)
        at = np.arange(self._emitted, self._emitted + count)
        last = self._sums_start + len(self._sums) - 1
        upper = self._sums[np.minimum(at + LEVEL_REACH + 1, last) - self._sums_start]
        lower = self._sums[np.maximum(at - LEVEL_REACH, 0) - self._sums_start]
        loudness, power = np.maximum(upper - lower, 0.0).T
        level = np.maximum(power / np.maximum(loudness, LEVEL_FLOOR), LEVEL_FLOOR)
        frames = self._take(count)
        frames /= level[:, None].astype(np.float32)
        self._emitted += count
        keep_from = max(self._emitted - LEVEL_REACH, 0)
        self._sums = self._sums[keep_from - self._sums_start :]
        self._sums_start = keep_from
        return frames

    def _take(self, count: int) -> NDArray[np.float32]:
        """Removes and returns the first ``count`` of the waiting frames."""
        parts = []
        while count > 0:
            first = self._waiting.popleft()
            parts.append(first[:count])
            if len(first) > count:
                self._waiting.appendleft(first[count:])
            count -= len(first)
        return np.concatenate(parts)


def frames_of(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """All frames of a whole recording, unfiltered: (n,) float32 at 16 kHz -> (frames, 257) float32."""
    stream = FrameStream()
    return np.concatenate([stream.push(high_pass(samples)), stream.finish()])


def frame_count(samples: int) -> int:
    """The number of frames in that many samples."""
    return max(0, 1 + (samples - SPEC.frame_length) // SPEC.hop)


def _magnitudes(samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """(n,) samples -> (frames, 257) float32 magnitudes |X[k]| / frame_length, (frames,) float64 their RMS."""
    count = frame_count(len(samples))
    magnitudes, loudness = np.empty((count, SPEC.bins), np.float32), np.empty(count)
    if count == 0:
        return magnitudes, loudness
    windows = np.lib.stride_tricks.sliding_window_view(samples, SPEC.frame_length)[:: SPEC.hop]
    size = min(CHUNK_FRAMES, count)
    windowed = np.empty((size, SPEC.frame_length), np.float32)
    spectra = np.empty((size, SPEC.bins), np.complex64)
    for start in range(0, count, size):
        chunk = slice(start, min(start + size, count))
        frames = slice(chunk.stop - start)
        np.multiply(windows[chunk], WINDOW, out=windowed[frames])
        np.fft.rfft(windowed[frames], axis=1, out=spectra[frames])
        np.abs(spectra[frames], out=magnitudes[chunk])
        magnitudes[chunk] *= np.float32(1 / SPEC.frame_length)
        loudness[chunk] = np.sqrt(np.mean(np.square(magnitudes[chunk], dtype=np.float64), axis=1))
    return magnitudes, loudness
