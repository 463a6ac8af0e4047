"""Decodes the bytes of a file as the pipeline does."""

import tempfile

import numpy as np

from aqscore.audio.part import WHOLE, Part
from aqscore.audio.recording import Media, Recording
from aqscore.limits import Limits

LIMITS = Limits()
RATE = 16_000


def decoded(data: bytes, part: Part = WHOLE) -> tuple[np.ndarray, Media]:
    """The samples of a file, (n,) float32 at 16 kHz, and its format."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        with Recording(file, LIMITS, part) as recording:
            samples = np.concatenate(list(recording.blocks()))
            return samples, recording.media


def tone(seconds: float, hz: float, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def frequency(samples: np.ndarray) -> float:
    """The loudest frequency, in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * RATE / len(samples))
