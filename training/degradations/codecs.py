"""Codecs at a low bit rate: coded, decoded, and aligned with the input.

Those of libsndfile, of FFmpeg, and of telephony.
"""

import io
from dataclasses import dataclass

import numpy as np
import soundfile as sf
import soxr
from scipy.signal import fftconvolve

from aqscore.model.features import SPEC
from training.degradations import ffmpeg
from training.degradations.speech_codecs import available

RATE = SPEC.sample_rate_hz
BLOCK = 4096  # samples; libsndfile crashes on a minute of Vorbis written at once
LONGEST_DELAY = 4000  # samples
TANDEM_SHARE = 0.1  # of the coded recordings go through two codecs


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
    "g721": Codec("AU", "G721_32", (8000, 16000)),
    "g723": Codec("AU", "G723_24", (8000,)),
    "nms_adpcm": Codec("WAV", "NMS_ADPCM_16", (8000,)),
}


@dataclass(frozen=True)
class FFmpegCodec:
    """FFmpeg's encoder and decoder, the sample rates, and the bit rates at the first, mildest and worst."""

    encoder: str
    decoder: str
    rates: tuple[int, ...]
    bit_rates: tuple[int, int] | None = None

    def bit_rate(self, severity: float, rate: int) -> int | None:
        """Bit/s at a severity of 0 to 1, in proportion to the sample rate; None where there is no choice."""
        if self.bit_rates is None:
            return None
        mildest, worst = self.bit_rates
        return round(mildest * (worst / mildest) ** severity * (rate / self.rates[0]) ** 0.7)


FFMPEG_CODECS = {
    "g722": FFmpegCodec("g722", "g722", (16000,)),
    "g723_1": FFmpegCodec("g723_1", "g723_1", (8000,), (6300, 6300)),
    "ogg_opus": FFmpegCodec("libopus", "libopus", (16000, 8000, 48000), (32000, 6000)),
    "aac": FFmpegCodec("aac", "aac", (16000, 16000, 22050), (64000, 12000)),
    "lame": FFmpegCodec("libmp3lame", "mp3", (16000, 16000, 22050, 24000), (48000, 8000)),
    "ac3": FFmpegCodec("ac3", "ac3", (48000,), (96000, 32000)),
    "sbc": FFmpegCodec("sbc", "sbc", (16000,), (80000, 24000)),
    "ms_adpcm": FFmpegCodec("adpcm_ms", "adpcm_ms", (8000, 16000)),
    "nellymoser": FFmpegCodec("nellymoser", "nellymoser", (8000, 16000)),
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
    """(n,) samples through a random codec, now and then through a second one; and the record.

    ``severity``, 0 to 1, sets the bit rate and makes low sample rates more likely.
    """
    coded, record = _one_codec(samples, severity, generator)
    if generator.random() < TANDEM_SHARE:
        coded, second = _one_codec(coded, severity, generator)
        record |= {"second": second["method"]}
    return coded, record


def _one_codec(
    samples: np.ndarray, severity: float, generator: np.random.Generator
) -> tuple[np.ndarray, dict]:
    telephony = available()
    names = [*CODECS, *FFMPEG_CODECS, *telephony, *telephony]  # those of telephony twice as often
    name = names[generator.integers(len(names))]
    record: dict = {"kind": "codec", "method": name}
    if name in telephony:
        codec = telephony[name]
        mode = codec.modes[min(int(severity * len(codec.modes)), len(codec.modes) - 1)]
        late = codec.code(samples, mode, lambda count: np.zeros(count, bool))
        return aligned(late, samples), record | {"rate_hz": codec.rate, "mode": mode}
    known: Codec | FFmpegCodec = CODECS[name] if name in CODECS else FFMPEG_CODECS[name]
    weights = np.array([1.0 if rate >= RATE else 0.3 + severity for rate in known.rates])
    rate = int(generator.choice(known.rates, p=weights / weights.sum()))
    if isinstance(known, Codec):
        level = known.level(severity)
        return code(samples, name, rate, level), record | {"rate_hz": rate, "level": level}
    bit_rate = known.bit_rate(severity, rate)
    late = ffmpeg.coded(samples, known.encoder, known.decoder, rate, bit_rate)
    return aligned(late, samples), record | {"rate_hz": rate, "bit_rate": bit_rate}
