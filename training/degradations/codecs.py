"""Codecs of libsndfile: coded at a low rate, decoded, and aligned with the input."""

import io
from dataclasses import dataclass

import numpy as np
import soundfile as sf
import soxr
from scipy.signal import fftconvolve

from aqscore.model.features import SPEC

RATE = SPEC.sample_rate_hz
BLOCK = 4096  # samples; libsndfile crashes on a minute of Vorbis written at once
LONGEST_DELAY = 4000  # samples


@dataclass(frozen=True)
class Codec:
    """A libsndfile container and coding, its sample rates, and its mildest and worst compression level."""

    container: str
    coding: str
    rates: tuple[int, ...]
    levels: tuple[float, float] | None = None

    def level(self, severity: float) -> float | None:
        """The compression level at a severity of 0 to 1; None where there is none to choose."""
        if self.levels is None:
            return None
        mildest, worst = self.levels
        return mildest + severity * (worst - mildest)


CODECS = {
    "mp3": Codec("MP3", "MPEG_LAYER_III", (8000, 11025, 16000, 24000), (0.4, 0.99)),
    "opus": Codec("OGG", "OPUS", (8000, 12000, 16000), (0.6, 0.99)),
    "vorbis": Codec("OGG", "VORBIS", (8000, 16000), (0.2, 0.99)),
    "gsm": Codec("WAV", "GSM610", (8000,)),
    "mu_law": Codec("WAV", "ULAW", (8000, 16000)),
    "a_law": Codec("WAV", "ALAW", (8000, 16000)),
    "ima_adpcm": Codec("WAV", "IMA_ADPCM", (8000, 16000)),
}


def code(samples: np.ndarray, name: str, rate: int, level: float | None) -> np.ndarray:
    """(n,) float32 at 16 kHz coded by a codec of ``CODECS`` at ``rate`` Hz, decoded and aligned.

    ``level`` is libsndfile's compression level, 0 to 1, None where the codec has none.
    """
    codec = CODECS[name]
    sent = samples if rate == RATE else soxr.resample(samples, RATE, rate)
    memory = io.BytesIO()
    options = {} if level is None else {"compression_level": level}
    with sf.SoundFile(memory, "w", rate, 1, format=codec.container, subtype=codec.coding, **options) as file:
        for start in range(0, len(sent), BLOCK):
            file.write(sent[start : start + BLOCK])
    memory.seek(0)
    decoded, rate = sf.read(memory, dtype="float32")
    return aligned(decoded if rate == RATE else soxr.resample(decoded, rate, RATE), samples)


def aligned(late: np.ndarray, original: np.ndarray) -> np.ndarray:
    """``late`` without its delay, up to 0.25 s by cross-correlation with ``original``, cut to its length."""
    length = len(original)
    late = np.pad(late, (LONGEST_DELAY, LONGEST_DELAY + max(0, length - len(late))))[
        : length + 2 * LONGEST_DELAY
    ]
    correlation = fftconvolve(late, original[::-1], "valid")
    start = int(np.argmax(np.abs(correlation)))
    return late[start : start + length].astype(np.float32)


def random_codec(
    samples: np.ndarray, severity: float, generator: np.random.Generator
) -> tuple[np.ndarray, dict]:
    """(n,) samples through a random codec, and the record.

    ``severity``, 0 to 1, sets the compression level and makes low rates more likely.
    """
    name = sorted(CODECS)[generator.integers(len(CODECS))]
    codec = CODECS[name]
    weights = np.array([1.0 if rate >= RATE else 0.3 + severity for rate in codec.rates])
    rate = int(generator.choice(codec.rates, p=weights / weights.sum()))
    level = codec.level(severity)
    decoded = code(samples, name, rate, level)
    return decoded, {"kind": "codec", "method": name, "rate_hz": rate, "level": level}
