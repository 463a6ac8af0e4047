"""Sounds far from the speech, or louder than it, must not decide on its score."""

import numpy as np
import pytest

from aqscore.audio.array_source import AudioArray
from aqscore.pipeline import ScoreOptions, score_recording

RATE = 16_000


def at_level(samples, dbfs) -> np.ndarray:
    return samples * 10 ** (dbfs / 20) / np.sqrt(np.mean(np.square(samples)))


def hold_music(seconds, dbfs=-26.0) -> np.ndarray:
    """Chords of plucked strings, four a second: (n,) float64."""
    at = np.arange(RATE // 4) / RATE
    chords = ((262, 330, 392), (294, 349, 440), (247, 294, 392), (220, 262, 330))
    plucked = [
        sum(
            np.sin(2 * np.pi * note * n * at) * np.exp(-(4 + 2 * n) * at) / n
            for note in chord
            for n in range(1, 9)
        )
        for chord in chords
    ]
    return at_level(np.tile(np.concatenate(plucked), seconds)[: seconds * RATE], dbfs)


def beep(dbfs=-3.0) -> np.ndarray:
    at = np.arange(RATE // 2) / RATE
    return (
        10 ** (dbfs / 20) * np.sin(2 * np.pi * 1_000 * at) * np.minimum(1, 20 * np.minimum(at, at[-1] - at))
    )


@pytest.fixture
def score(config):
    def scored(*parts):
        samples = np.concatenate(parts).astype(np.float32)
        return score_recording(AudioArray(samples, RATE), config, ScoreOptions())

    return scored


@pytest.fixture
def pause(rng) -> np.ndarray:
    return 1e-5 * rng.standard_normal(RATE)


@pytest.mark.parametrize("music_first", [True, False])
def test_hold_music_does_not_hide_speech(score, speech, pause, music_first):
    speech = at_level(speech, -26)
    parts = [hold_music(60), pause, speech]
    found = score(*(parts if music_first else parts[::-1]))
    assert found.score is not None, [warning.message for warning in found.warnings]


@pytest.mark.parametrize("beep_first", [True, False])
def test_a_loud_beep_does_not_lower_quiet_speech(score, speech, pause, beep_first):
    speech = at_level(speech, -35)
    parts = [beep(), pause, speech]
    found = score(*(parts if beep_first else parts[::-1]))
    assert found.score == pytest.approx(score(speech).score, abs=0.3)


def test_a_loud_prompt_does_not_raise_a_noisy_caller(score, speech, pause, rng):
    caller = at_level(speech, -40)
    caller = caller + at_level(rng.standard_normal(len(caller)), -50)
    found, alone = score(at_level(speech, -14), pause, caller), score(caller)
    begins_s = (len(speech) + len(pause)) / RATE
    of_caller = [segment.score for segment in found.timeline if segment.start_s >= begins_s]
    assert np.mean(of_caller) == pytest.approx(np.mean([s.score for s in alone.timeline]), abs=0.3)
    assert found.worst_segment.start_s >= begins_s


def test_no_speech_says_what_was_looked_for(score):
    found = score(hold_music(5))
    assert found.score is None
    assert "a stretch of 0.6 s with a mean speech probability of at least" in found.warnings[0].message
