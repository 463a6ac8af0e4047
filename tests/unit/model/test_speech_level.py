"""Speech level: quiet speech beside loud sounds is brought up, and nothing else changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqscore.model.features import SPEC
from aqscore.model.speech_level import RESTORED_DB, TOLERATED_DB, SpeechLevel, speech_gains
from tests.frame_scores import frame_scores

SECOND = round(1 / SPEC.hop_s)  # frames
SPEECH_PROBABILITY = 0.5


def frames_at(*parts: tuple[float, float]) -> np.ndarray:
    """(frames, 257) of constant level: ``parts`` are (seconds, dB over the level of the features)."""
    levels = np.concatenate([np.full(round(seconds * SECOND), 10 ** (db / 20)) for seconds, db in parts])
    return np.tile(levels[:, None], (1, SPEC.bins)).astype(np.float32)


def decibels(gains: np.ndarray) -> np.ndarray:
    return 20 * np.log10(gains)


def scored(frames: np.ndarray, speech: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The scores by a fake network, which gives the magnitude of each frame, and all that it was given."""
    given_frames = []

    def network(frames):
        given_frames.append(frames)
        level = frames.mean(axis=1)
        return frame_scores(level, level, speech, level, {}, {})

    return SpeechLevel(network, SPEECH_PROBABILITY)(frames).score, given_frames


def test_speech_at_the_level_is_scored_once_and_as_it_is():
    frames = frames_at((5, 0), (5, -TOLERATED_DB + 0.1))
    scores, given_frames = scored(frames, np.ones(len(frames)))
    assert len(given_frames) == 1
    np.testing.assert_array_equal(scores, frames.mean(axis=1))


def test_quiet_speech_after_a_beep_is_brought_to_the_level():
    frames = frames_at((0.5, 14), (1, -90), (5, -25))
    speech = np.repeat([0, 0, 1], [SECOND // 2, SECOND, 5 * SECOND])[: len(frames)]
    scores, given_frames = scored(frames, speech)
    assert len(given_frames) == 2
    np.testing.assert_allclose(scores[-5 * SECOND + 2 :], 1.0, rtol=1e-3)
    np.testing.assert_allclose(scores[: SECOND // 2 - 1], frames.mean(axis=1)[: SECOND // 2 - 1])


@pytest.mark.parametrize("loud_first", [True, False])
def test_each_of_two_parties_keeps_its_level(loud_first):
    parts = [(8.0, 0.0), (8.0, -24.0)]
    frames = frames_at(*(parts if loud_first else parts[::-1]))
    gains = speech_gains(frames, np.ones(len(frames), bool))
    quiet = frames[:, 0] < 0.5
    # Within a second and a half of the change, the quieter side holds too little of the quiet party.
    inner = quiet & (np.abs(np.arange(len(frames)) - 8 * SECOND) > 2 * SECOND)
    np.testing.assert_allclose(decibels(gains[inner]), 24, atol=0.2)
    assert np.all(gains[~quiet][: 3 * SECOND] if loud_first else gains[~quiet][-3 * SECOND :] == 1)


def test_noise_without_speech_is_not_raised():
    frames = frames_at((5, 0), (20, -40))
    speech = np.repeat([1.0, 0.05], [5 * SECOND, len(frames) - 5 * SECOND])
    assert speech_gains(frames, speech >= SPEECH_PROBABILITY) is None


def test_one_quiet_syllable_is_not_raised():
    frames = frames_at((5, 0), (1, -20))
    assert speech_gains(frames, np.ones(len(frames), bool)) is None


def test_digital_silence_that_is_taken_for_speech_stays_silent():
    frames = np.concatenate([frames_at((5, 0)), np.zeros((5 * SECOND, SPEC.bins), np.float32)])
    gains = speech_gains(frames, np.ones(len(frames), bool))
    assert np.isfinite(gains).all() and gains[: 5 * SECOND].max() == 1
    assert not (frames[5 * SECOND :] * gains[5 * SECOND :, None]).any()


@pytest.mark.parametrize(
    ("below_db", "gain_db"), [(TOLERATED_DB, 0), ((TOLERATED_DB + RESTORED_DB) / 2, 8), (30, 30)]
)
def test_the_gain_grows_from_none_to_all_of_it(below_db, gain_db):
    frames = frames_at((6, -below_db))
    gains = speech_gains(frames, np.ones(len(frames), bool))
    assert (0 if gains is None else decibels(gains[SECOND])) == pytest.approx(gain_db, abs=0.1)


@given(st.lists(st.tuples(st.floats(0.1, 6), st.floats(-60, 20), st.booleans()), min_size=1, max_size=6))
def test_no_frame_is_lowered_or_raised_beyond_its_limit(parts):
    frames = frames_at(*(part[:2] for part in parts))
    speech = np.concatenate([np.full(round(seconds * SECOND), is_speech) for seconds, _, is_speech in parts])
    gains = speech_gains(frames, speech >= SPEECH_PROBABILITY)
    if gains is not None:
        assert gains.shape == (len(frames),) and gains.dtype == np.float32
        assert gains.min() >= 1
        raised = gains > 1
        assert np.all(frames[raised, 0] * gains[raised] <= 4.001)
