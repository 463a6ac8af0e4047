"""Recordings in every supported format, made from samples: by libsndfile, by FFmpeg, byte by byte."""

import io
from collections.abc import Callable

import numpy as np
import soundfile

from infra.encoders import RATE, by_ffmpeg, by_libsndfile

# FFmpeg's names of containers and encoders.
FFMPEG: dict[str, tuple[str, str]] = {
    "m4a": ("ipod", "aac"),
    "mp4": ("mp4", "aac"),
    "mov": ("mov", "pcm_s16le"),
    "alac.m4a": ("ipod", "alac"),
    "aac": ("adts", "aac"),
    "webm": ("webm", "libopus"),
    "mka": ("matroska", "flac"),
}
LIBSNDFILE: dict[str, tuple[str, str]] = {
    "wav": ("WAV", "PCM_16"),
    "float.wav": ("WAV", "FLOAT"),
    "gsm.wav": ("WAV", "GSM610"),
    "adpcm.wav": ("WAV", "IMA_ADPCM"),
    "flac": ("FLAC", "PCM_16"),
    "vorbis.ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "aiff": ("AIFF", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "rf64": ("RF64", "PCM_16"),
    "w64": ("W64", "PCM_16"),
}


def titled(title: str, samples: np.ndarray) -> bytes:
    """A WAV file with a title: the action of its decoder with tests/hostile in PYTHONPATH."""
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", RATE, 1, format="WAV") as file:
        file.title = title
        file.write(samples)
    return buffer.getvalue()


def amr(seconds: float, rng: np.random.Generator, wide_band: bool = False, pause_s: float = 0.0) -> bytes:
    """An AMR file: random bits, which sound like noise, before and after a pause. No encoder is at hand.

    RFC 4867, 5.3: a magic number, then for each 20 ms a byte with the frame's type and Q = 1, and its
    bits: type 7 (12.2 kbit/s) has 244, AMR-WB's type 2 (12.65 kbit/s) has 253. A pause is a description of
    its noise (39 or 40 bits) in every eighth frame, and nothing (type 15) in the others.
    """
    magic, kind, size, description = (b"#!AMR-WB\n", 2, 32, 9) if wide_band else (b"#!AMR\n", 7, 31, 8)

    def frame(kind: int, size: int) -> bytes:
        return bytes([kind << 3 | 4]) + rng.bytes(size)

    half = [frame(kind, size) for _ in range(round(seconds * 25))]
    pause = [frame(15, 0) if at % 8 else frame(description, 5) for at in range(round(pause_s * 50))]
    return magic + b"".join(half + pause + half)


def all_formats(samples: np.ndarray, rng: np.random.Generator) -> dict[str, Callable[[], bytes]]:
    """Each format's name -> a function that makes its file of these (n,) float32 samples at RATE."""
    made: dict[str, Callable[[], bytes]] = {}
    for name, kind in LIBSNDFILE.items():
        made[name] = lambda kind=kind: by_libsndfile(samples, *kind)
    for name, kind in FFMPEG.items():
        rate = 48_000 if kind[1] == "libopus" else RATE
        made[name] = lambda kind=kind, rate=rate: by_ffmpeg(samples, *kind, rate=rate)
    seconds = len(samples) / RATE
    made["amr"] = lambda: amr(seconds, rng, pause_s=0.4)
    made["awb"] = lambda: amr(seconds, rng, wide_band=True, pause_s=0.4)
    return made
