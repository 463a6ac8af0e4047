"""Recordings for the benchmarks: the example's speech, repeated to any length, in any format."""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from aqscore.config import ScorerConfig
from aqscore.pipeline import score_file
from aqscore.report import FileSource, Report
from infra.encoders import by_ffmpeg, by_libsndfile
from infra.localstack.install import ROOT

RATE = 16_000
# Common formats: name, encoder, its names of container and codec, sample rate in Hz, channels.
FORMATS = {
    "WAV 16 kHz": (by_libsndfile, "WAV", "PCM_16", 16_000, 1),
    "WAV 48 kHz stereo": (by_libsndfile, "WAV", "PCM_16", 48_000, 2),
    "WAV 8 kHz mu-law": (by_libsndfile, "WAV", "ULAW", 8_000, 1),
    "FLAC 16 kHz": (by_libsndfile, "FLAC", "PCM_16", 16_000, 1),
    "MP3 44.1 kHz stereo": (by_libsndfile, "MP3", "MPEG_LAYER_III", 44_100, 2),
    "Ogg Vorbis 44.1 kHz": (by_libsndfile, "OGG", "VORBIS", 44_100, 1),
    "Ogg Opus 48 kHz": (by_libsndfile, "OGG", "OPUS", 48_000, 1),
    "M4A (AAC) 44.1 kHz": (by_ffmpeg, "ipod", "aac", 44_100, 1),
    "WebM (Opus) 48 kHz": (by_ffmpeg, "webm", "libopus", 48_000, 1),
}


@cache
def speech() -> np.ndarray:
    """The example: six seconds of speech, (n,) float32 at 16 kHz."""
    return soundfile.read(ROOT / "examples" / "clean.flac", dtype="float32")[0]


def wav(seconds: float) -> bytes:
    """A recording of that length as 16 kHz mono WAV."""
    file = io.BytesIO()
    write(file, seconds)
    return file.getvalue()


def write(file, seconds: float) -> None:
    """The same into a file or path, block by block."""
    left = round(seconds * RATE)
    with soundfile.SoundFile(file, "w", RATE, 1, format="WAV", subtype="PCM_16") as recording:
        while left > 0:
            recording.write(speech()[:left])
            left -= len(speech())


def encoded(name: str, seconds: float) -> bytes:
    """A recording of that length in one of FORMATS."""
    encode, container, codec, rate, channels = FORMATS[name]
    samples = np.resize(speech(), round(seconds * RATE))
    samples = soxr.resample(samples, RATE, rate) if rate != RATE else samples
    return encode(np.repeat(samples[:, None], channels, axis=1), container, codec, rate)


@contextmanager
def saved(seconds: float) -> Iterator[Path]:
    """The path of a WAV file of that length, for as long as a ``with`` block lasts."""
    with tempfile.TemporaryDirectory(prefix="aqscore-bench-") as folder:
        path = Path(folder) / "recording.wav"
        write(path, seconds)
        yield path


def report_json(data: bytes, settings: ScorerConfig) -> bytes:
    """Bytes in, JSON out: the work of one call without its network requests."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        report = Report(source=FileSource(file="recording"), **dict(score_file(file, settings)))
    return report.model_dump_json().encode()
