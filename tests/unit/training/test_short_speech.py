"""Factors of the interval for little speech: errors relative to the interval, by seconds of speech."""

import json
from pathlib import Path

import numpy as np
import pytest

from training.evaluation import short_speech
from training.evaluation.short_speech import UNCHANGED, short_speech_table


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").write_text(json.dumps({"interval": {"short_speech": "another"}}))
    return tmp_path / "model"


def table(model: Path, monkeypatch: pytest.MonkeyPatch, factors: dict[float, float], pieces: int):
    """The table where all errors of pieces with so many seconds of speech are ``factors`` intervals."""
    needed = [(speech_s, factor) for speech_s, factor in factors.items() for _ in range(pieces)]

    def measured(path, seed, settings):
        info = json.loads((settings.model_dir / "model.json").read_text())
        assert info["interval"]["short_speech"] == UNCHANGED  # or the factors would be of what is left
        return needed

    monkeypatch.setattr(short_speech, "read_manifest", lambda corpus, name: [{"clip": "1", "set": name}])
    monkeypatch.setattr(short_speech, "is_for_calibration", lambda clip: True)
    monkeypatch.setattr(short_speech, "_needed_factors", measured)
    return short_speech_table(Path(), model)


def test_factors_are_relative_to_recordings_with_more_speech(model, monkeypatch):
    found = table(model, monkeypatch, {0.5: 1.2, 1.5: 1.0, 4.0: 0.8}, pieces=30)
    assert found == {"speech_s": [0.5, 1.5, 2.0], "factor": [1.5, 1.25, 1.0]}
    assert json.loads((model / "model.json").read_text())["interval"]["short_speech"] == "another"


def test_no_interval_becomes_narrower(model, monkeypatch):
    assert table(model, monkeypatch, {0.5: 0.7, 1.5: 1.0, 4.0: 0.9}, pieces=30)["factor"] == [1.0, 1.11, 1.0]


def test_too_few_pieces_change_nothing(model, monkeypatch):
    assert table(model, monkeypatch, {0.5: 2.0, 1.5: 2.0, 4.0: 0.9}, pieces=3) == UNCHANGED


@pytest.mark.parametrize("seed", range(6))
def test_pieces_are_degraded_and_keep_their_length(seed):
    generator = np.random.default_rng(seed)
    samples = 0.1 * generator.standard_normal(16_000)
    degraded = short_speech._degraded(samples, generator)
    assert degraded.shape == samples.shape
    assert np.mean(np.square(degraded - samples)) > 0
