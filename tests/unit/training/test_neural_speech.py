"""training/collectors/neural_speech.py: voices and sentences. The downloaded synthesiser is not tested."""

import sys

import numpy as np
import pytest

from training.collectors import neural_speech
from training.collectors.neural_speech import FINALS, INITIALS, STYLE, STYLES, TONES, VOICES, sentence, voice


@pytest.fixture
def shipped(rng) -> dict[str, np.ndarray]:
    return {name: rng.standard_normal((STYLES, STYLE)).astype(np.float32) for name in ("b", "a", "c")}


def test_the_first_voices_are_those_that_are_shipped(shipped):
    assert [voice(shipped, number)[0] for number in range(3)] == ["a", "b", "c"]
    np.testing.assert_array_equal(voice(shipped, 1)[1], shipped["b"])


def test_the_others_are_mixtures_each_another_and_always_the_same(shipped):
    mixed = dict(voice(shipped, number) for number in range(3, VOICES))
    assert len(mixed) == VOICES - 3
    for number in (3, VOICES - 1):
        name, styles = voice(shipped, number)
        np.testing.assert_array_equal(styles, mixed[name])
    timbres = np.array([styles[0, : STYLE // 2] for styles in mixed.values()])
    assert len(np.unique(timbres, axis=0)) == len(mixed)


def test_a_mixtures_timbre_lies_on_the_line_through_two_voices(shipped):
    """As do, between two voices, its manners."""
    half = STYLE // 2
    _, styles = voice(shipped, 7)
    for part in (slice(0, half), slice(half, STYLE)):
        given = np.stack([table[:, part].ravel() for table in shipped.values()], axis=1)
        share, off, *_ = np.linalg.lstsq(given, styles[:, part].ravel())
        assert off[0] < 1e-6
        assert share.sum() == pytest.approx(1)
        assert np.count_nonzero(np.abs(share) > 1e-6) == 2


def test_mandarin_is_made_of_syllables(rng):
    known = set("".join([INITIALS, FINALS, TONES, ",."]))
    spoken = {sentence(rng, 1.0) for _ in range(20)}
    assert len(spoken) == 20
    assert all(set(each) <= known and each.endswith(".") for each in spoken)
    assert 0 < sum("," in each for each in spoken) < 20


def test_a_missing_tool_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["neural_speech", "--out", str(tmp_path / "out")])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="npm was not found on PATH, expected pip, npm and espeak-ng"):
        neural_speech.main()
