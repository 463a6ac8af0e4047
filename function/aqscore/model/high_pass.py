"""High-pass filter in front of the features and the signal statistics.

Listeners don't hear a DC offset or rumble below 20 Hz, and PESQ ignores both (ITU-T P.862.2, input filter).
"""

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
CUTOFF_HZ = 45.0  # half amplitude; below 20 Hz at least 60 dB down, above 70 Hz flat to 0.01 dB
HALF_LENGTH = 580  # samples on either side of the centre tap, 36 ms
KAISER_BETA = 5.65  # 60 dB of stop-band attenuation (Kaiser, 1974)
SILENT_RUN = 256  # equal samples in a row that are digital silence, whatever their offset
FFT_SIZE = 8192
STEP = FFT_SIZE - 2 * HALF_LENGTH  # samples filtered by one transform


def _taps() -> NDArray[np.float64]:
    """The impulse response (2 x 580 + 1,): linear phase, windowed by Kaiser's window."""
    at = np.arange(-HALF_LENGTH, HALF_LENGTH + 1)
    ratio = 2 * CUTOFF_HZ / RATE_HZ
    low_pass = ratio * np.sinc(ratio * at) * np.kaiser(len(at), KAISER_BETA)
    taps: NDArray[np.float64] = -low_pass / low_pass.sum()  # the gain at 0 Hz is exactly 0
    taps[HALF_LENGTH] += 1.0
    return taps


_RESPONSE = np.fft.rfft(_taps(), FFT_SIZE).astype(np.complex64)


class HighPass:
    """Filters blocks of samples, in bounded memory.

    Invariants: samples in = samples out, without delay, whatever the blocks. Digital silence, with or without
    a DC offset, comes out as zeros. At both ends the recording is continued by its mirror image, so that an
    offset makes no click there.
    """

    def __init__(self) -> None:
        self._samples = np.empty(0, np.float32)  # context, then samples that are not filtered yet
        self._begun = False

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Takes (n,) float32 at 16 kHz; returns those of the samples so far that are ready."""
        self._samples = np.concatenate([self._samples, samples])
        if not self._begun and len(self._samples) >= STEP + HALF_LENGTH:
            self._begin()
        return self._filtered((len(self._samples) - 2 * HALF_LENGTH) // STEP) if self._begun else samples[:0]

    def finish(self) -> NDArray[np.float32]:
        """Returns the samples that were waiting for later ones."""
        if len(self._samples) == 0:
            return self._samples
        if not self._begun:
            self._begin()
        remaining = len(self._samples) - HALF_LENGTH
        # A short recording has less than one half length to mirror; ``np.pad`` mirrors it repeatedly.
        padded = np.pad(self._samples, (0, HALF_LENGTH), "symmetric")
        steps = -(-remaining // STEP)
        self._samples = np.pad(padded, (0, steps * STEP - remaining))
        filtered = self._filtered(steps)[:remaining]
        self._samples = self._samples[:0]
        return filtered

    def _begin(self) -> None:
        self._samples = np.pad(self._samples, (HALF_LENGTH, 0), "symmetric")
        self._begun = True

    def _filtered(self, steps: int) -> NDArray[np.float32]:
        """Filters ``steps`` times ``STEP`` samples by overlap-save, and keeps the context of the next."""
        steps = max(steps, 0)
        output = np.empty(steps * STEP, np.float32)
        for start in range(0, len(output), STEP):
            part = self._samples[start : start + FFT_SIZE]
            spectrum = np.fft.rfft(part)
            spectrum *= _RESPONSE
            output[start : start + STEP] = np.fft.irfft(spectrum, FFT_SIZE)[2 * HALF_LENGTH :]
            output[start : start + STEP][_in_silence(part)[HALF_LENGTH:-HALF_LENGTH]] = 0.0
        self._samples = self._samples[len(output) :]
        return output


def high_pass(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The filtered samples of a whole recording: (n,) float32 at 16 kHz -> (n,) float32."""
    stream = HighPass()
    return np.concatenate([stream.push(np.asarray(samples, np.float32)), stream.finish()])


def _in_silence(samples: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,) bool: whether each sample lies in a run of at least ``SILENT_RUN`` equal samples."""
    equal = samples[1:] == samples[:-1]
    if np.count_nonzero(equal) < SILENT_RUN - 1:
        return np.zeros(len(samples), bool)
    changes = np.flatnonzero(~equal) + 1
    runs = np.diff(np.concatenate([[0], changes, [len(samples)]]))
    return np.repeat(runs >= SILENT_RUN, runs)
