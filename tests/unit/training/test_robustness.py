"""training/evaluation/robustness.py: each inaudible change is the one that its name says."""

import numpy as np
import pytest
import soundfile as sf

from aqscore.config import ScorerConfig
from aqscore.pipeline import score_file
from tests.conftest import EXAMPLES
from tests.unit.training.material import RATE, voice
from training.evaluation import robustness
from training.evaluation.robustness import CHANGES, Run, score_changes
from training.levels import active_level

SPEECH = voice(3, 5)
# Seconds that a change adds; the others keep the duration.
ADDED_S = {
    "7 ms cut off": -0.007,
    "silence before": 10.0,
    "silence after": 10.0,
    "a beep before": 2.0,
    "a loud beep before": 2.0,
    "a minute of music before": 60.0,
    "a minute of music after": 60.0,
}


def changed(name: str) -> np.ndarray:
    """(n,) samples at 16 kHz."""
    samples, rate = CHANGES[name](SPEECH)
    assert rate == RATE
    return samples


def decibels(samples: np.ndarray) -> float:
    return 20 * np.log10(np.sqrt(np.mean(np.square(samples, dtype=float))))


def deviation_db(samples: np.ndarray) -> float:
    """The level of the difference from the speech, relative to the speech."""
    return decibels(samples - SPEECH) - decibels(SPEECH)


@pytest.mark.parametrize("name", CHANGES)
def test_each_changes_the_samples_and_the_duration_by_what_it_adds(name):
    before = SPEECH.copy()
    samples, rate = CHANGES[name](SPEECH)
    np.testing.assert_array_equal(SPEECH, before)
    assert samples.ndim == 1
    assert np.isfinite(samples).all()
    assert len(samples) / rate == pytest.approx(len(SPEECH) / RATE + ADDED_S.get(name, 0.0), abs=1e-9)
    if rate == RATE and len(samples) == len(SPEECH):
        assert not np.array_equal(samples, SPEECH)


def test_the_offset_is_the_mean():
    assert np.mean(changed("DC offset") - SPEECH) == pytest.approx(0.03, abs=1e-6)
    assert np.std(changed("DC offset") - SPEECH) < 1e-6


def test_the_rumble_lies_below_hearing_at_its_level():
    rumble = changed("rumble") - SPEECH
    power = np.abs(np.fft.rfft(rumble)) ** 2
    hertz = np.fft.rfftfreq(len(rumble), 1 / RATE)
    assert power[hertz < 18].sum() > 0.999 * power.sum()
    assert decibels(rumble) == pytest.approx(-30, abs=0.1)


def test_gains_and_polarity_are_exact():
    assert decibels(changed("20 dB louder")) - decibels(SPEECH) == pytest.approx(20, abs=1e-3)
    assert decibels(changed("20 dB softer")) - decibels(SPEECH) == pytest.approx(-20, abs=1e-3)
    np.testing.assert_array_equal(changed("polarity"), -SPEECH)


def test_another_rate_holds_the_same_sound():
    samples, rate = CHANGES["48 kHz"](SPEECH)
    assert rate == 48_000
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    assert spectrum[np.fft.rfftfreq(len(samples), 1 / rate) > 8100].sum() < 1e-4 * spectrum.sum()
    assert deviation_db(changed("48 kHz and back")) < -40


def test_opus_is_aligned_and_close():
    assert deviation_db(changed("Opus at 128 kbit/s")) < -15


def test_the_cut_and_the_silences_keep_the_rest():
    silence = np.zeros(10 * RATE)
    np.testing.assert_array_equal(changed("7 ms cut off"), SPEECH[112:])
    np.testing.assert_array_equal(changed("silence before"), np.concatenate([silence, SPEECH]))
    np.testing.assert_array_equal(changed("silence after"), np.concatenate([SPEECH, silence]))


@pytest.mark.parametrize(("name", "above_db"), [("a beep before", 15), ("a loud beep before", 30)])
def test_the_beep_is_a_tone_above_the_speech_and_ends_before_it(name, above_db):
    samples = changed(name)
    before, speech = samples[: 2 * RATE], samples[2 * RATE :]
    np.testing.assert_allclose(speech, SPEECH, atol=1e-7)
    beep = before[: RATE // 2]
    assert not before[RATE // 2 :].any()
    assert np.argmax(np.abs(np.fft.rfft(beep))) * RATE / len(beep) == pytest.approx(1000, abs=2)
    assert decibels(beep) - 20 * np.log10(active_level(SPEECH)) == pytest.approx(above_db, abs=0.1)


@pytest.mark.parametrize("side", ["before", "after"])
def test_the_music_is_as_loud_as_the_speech_and_lies_beside_it(side):
    samples = changed(f"a minute of music {side}")
    length = 60 * RATE
    music, speech = (
        (samples[:length], samples[length:])
        if side == "before"
        else (samples[len(SPEECH) :], samples[: len(SPEECH)])
    )
    np.testing.assert_allclose(speech, SPEECH, atol=1e-7)
    assert decibels(music) == pytest.approx(20 * np.log10(active_level(SPEECH)), abs=0.1)
    seconds = music.reshape(60, RATE)
    assert np.std(seconds, axis=1).min() > 0.01 * np.std(music), "the music pauses"


def test_moves_are_differences_of_the_score_and_a_lost_score_is_infinite(tmp_path, monkeypatch):
    speech, _ = sf.read(EXAMPLES / "noisy.flac", dtype="float32")
    (tmp_path / "dev_noise").mkdir()
    path = tmp_path / "dev_noise" / "7.flac"
    sf.write(path, speech, RATE)
    monkeypatch.setattr(
        robustness,
        "CHANGES",
        {
            "nothing": lambda x: (x, RATE),
            "noise": lambda x: (_noisy(x), RATE),
            "gone": lambda x: (0 * x, RATE),
        },
    )
    with path.open("rb") as file:
        run = Run({"set": "dev_noise", "clip": "7"}, score_file(file, ScorerConfig.from_env()))
    moves = score_changes(tmp_path, [run], ScorerConfig.from_env())
    assert moves["nothing"] == pytest.approx([0.0], abs=0.01)
    assert moves["noise"][0] < 0
    assert moves["gone"][0] == np.inf


def _noisy(samples: np.ndarray) -> np.ndarray:
    generator = np.random.default_rng(0)
    return samples + 0.5 * np.std(samples) * generator.standard_normal(len(samples))
