"""Signals that tests make themselves: nothing is read from outside the repository but the examples."""

import io
import signal
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import soundfile

from aqscore.config import ScorerConfig

# The same examples in every run: a test that fails, fails again.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.load_profile("same")

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"

# A shell starts commands in the background with Ctrl-C ignored, and children inherit that. The tests of
# Ctrl-C need it as in the foreground.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20_240_229)


@pytest.fixture(scope="session")
def config() -> ScorerConfig:
    """The defaults, which score with the shipped model."""
    return ScorerConfig()


@pytest.fixture(scope="session")
def speech() -> np.ndarray:
    """Six seconds of a synthetic voice, (n,) float32 at 16 kHz."""
    return soundfile.read(EXAMPLES / "clean.flac", dtype="float32")[0]


@pytest.fixture
def recorded(tmp_path):
    """Writes samples to a file and returns its path: ``recorded(samples, "a.wav", rate=8000, ...)``."""

    def write(samples: np.ndarray, name: str = "recording.wav", rate: int = 16_000, **kind) -> Path:
        path = tmp_path / name
        with soundfile.SoundFile(path, "w", rate, samples[:1].size, **kind) as file:
            for start in range(0, len(samples), 4096):  # libsndfile crashes on long Vorbis written at once
                file.write(samples[start : start + 4096])
        return path

    return write


def wav_bytes(samples: np.ndarray, rate: int = 16_000, **kind) -> bytes:
    """The samples as a WAV file in memory."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", **kind)
    return buffer.getvalue()
