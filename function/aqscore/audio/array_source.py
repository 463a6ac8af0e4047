"""Recordings that are decoded already: arrays of samples."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.findings import Findings
from aqscore.audio.source import MAX_BLOCK_SAMPLES
from aqscore.errors import BadRequest, EmptyFile

ADVICE = "Pass floats of shape (n,) or (n, channels), full scale 1.0: int16 samples divided by 32768."


@dataclass(frozen=True)
class AudioArray:
    """Decoded samples: floats of shape (n,) or (n, channels), full scale 1.0."""

    samples: NDArray[np.floating[Any]]
    sample_rate_hz: int


class ArraySource:
    """The samples of an array, in blocks. Integers are not accepted: their full scale is not known."""

    container = "ARRAY"
    codec = "FLOAT"
    tracks, track = 1, 0

    def __init__(self, audio: AudioArray) -> None:
        """Raises BadRequest for a wrong shape, type or sample rate, EmptyFile for no samples."""
        samples, rate = audio.samples, audio.sample_rate_hz
        if isinstance(samples, np.ma.MaskedArray):
            raise BadRequest(
                "The array is masked, expected all samples.", advice="Fill it: samples.filled(0.0)."
            )
        if samples.dtype.kind != "f":
            raise BadRequest(f"The samples are {samples.dtype}, expected floats.", advice=ADVICE)
        if samples.ndim not in (1, 2):
            raise BadRequest(
                f"The samples have the shape {samples.shape}, expected (n,) or (n, channels).", advice=ADVICE
            )
        if samples.size == 0:
            raise EmptyFile("The array holds no samples.", advice=ADVICE)
        if samples.ndim == 2 and samples.shape[1] > samples.shape[0]:
            raise BadRequest(
                f"The samples have the shape {samples.shape}: more channels than samples.",
                advice="Transpose the array: the shape is (n, channels).",
            )
        if not float(rate).is_integer():
            raise BadRequest(f"The sample rate is {rate} Hz, expected a whole number.")
        self._samples = samples if samples.ndim == 2 else samples[:, None]
        self._position = 0
        self.sample_rate_hz = int(rate)
        self.channels: int = self._samples.shape[1]
        self.findings = Findings()

    @property
    def progress(self) -> float:
        """As SampleSource.progress."""
        return min(1.0, self._position / len(self._samples))

    def read(self) -> tuple[NDArray[np.float32], str | None]:
        """As SampleSource.read."""
        start, self._position = self._position, self._position + max(1, MAX_BLOCK_SAMPLES // self.channels)
        with np.errstate(over="ignore"):  # infinity is reported as an invalid sample
            return self._samples[start : self._position].astype(np.float32, copy=False), None

    def close(self) -> None:
        """Does nothing: the array is the caller's."""
