"""The share of a recording that was decoded: what estimates the time of the rest."""

import io

import numpy as np
import pytest
import soundfile

from aqscore.audio.array_source import AudioArray
from aqscore.audio.part import WHOLE, Part
from aqscore.audio.recording import Recording
from aqscore.limits import Limits
from infra.encoders import by_ffmpeg

RATE = 16_000
SECONDS = 120
LIMITS = Limits()
AHEAD_S = 30  # decoded before the first block is scored, or read ahead by the decoder


def course(audio, part: Part = WHOLE, limits: Limits = LIMITS) -> list[tuple[float, float]]:
    """(seconds so far, progress) at each block."""
    with Recording(audio, limits, part) as recording:
        return [(recording.media.duration_s, recording.progress) for _ in recording.blocks()]


@pytest.fixture
def noise(rng) -> np.ndarray:
    return (0.1 * rng.standard_normal(SECONDS * RATE)).astype(np.float32)


def encoded(samples: np.ndarray, kind: str) -> bytes:
    if kind == "MP4":
        return by_ffmpeg(samples, "mp4", "aac", RATE)
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", RATE, 1, format=kind) as file:
        for start in range(0, len(samples), RATE):
            file.write(samples[start : start + RATE])
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "MP3", "OGG", "MP4"])
def test_the_progress_follows_the_sound(tmp_path, noise, kind):
    path = tmp_path / "a"
    path.write_bytes(encoded(noise, kind))
    with path.open("rb") as file:
        found = course(file)
    for seconds, progress in found:
        assert seconds / SECONDS - 0.01 <= progress <= (seconds + AHEAD_S) / SECONDS
    assert found[-1][1] > 0.99


def test_a_beginning_of_silence_takes_few_bytes_but_its_share_of_the_length(tmp_path, noise):
    noise[: SECONDS * RATE // 2] = 0
    path = tmp_path / "a.flac"
    path.write_bytes(encoded(noise, "FLAC"))
    with path.open("rb") as file:
        for seconds, progress in course(file):
            assert progress >= seconds / SECONDS - 0.01


def test_no_recording_is_longer_than_its_limit_or_its_part(tmp_path, noise):
    """An Ogg file states its length only at its end, and silence takes no bytes."""
    noise[: SECONDS * RATE // 2] = 0
    path = tmp_path / "a.ogg"
    path.write_bytes(encoded(noise, "OGG"))
    for part, limits in ((WHOLE, Limits(max_duration_s=2.0 * SECONDS)), (Part(end_s=2.0 * SECONDS), LIMITS)):
        with path.open("rb") as file:
            for seconds, progress in course(file, part, limits):
                assert progress >= seconds / (2 * SECONDS) - 0.01


def test_an_array_knows_its_length(noise):
    for seconds, progress in course(AudioArray(noise, RATE)):
        assert progress == pytest.approx(seconds / SECONDS)
