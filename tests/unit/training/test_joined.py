"""Joined clips: their score is compared with the power mean of the clips' own, in both orders."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile as sf

from aqscore.config import ScorerConfig
from aqscore.scale import HIGHEST
from training.evaluation import joined
from training.evaluation.robustness import Run
from training.network.dataset import clip_path


def run(number: int, score: float, speech_share: float, duration_s: float) -> Run:
    signal, media = SimpleNamespace(speech_share=speech_share), SimpleNamespace(duration_s=duration_s)
    clip = {"set": "dev_noise", "clip": f"{number:07d}"}
    return Run(clip, SimpleNamespace(score=score, signal=signal, media=media))


@pytest.fixture
def runs(tmp_path):
    made = [run(0, 4.0, 0.5, 4.0), run(1, 2.0, 1.0, 6.0)]
    (tmp_path / "dev_noise").mkdir()
    for number, each in enumerate(made):
        tone = (0.05 + 0.1 * number) * np.sin(np.arange(16_000 * round(each.result.media.duration_s)))
        sf.write(clip_path(tmp_path, each.clip, ".flac"), tone, 16_000)
    return made


def test_the_power_mean_counts_seconds_of_speech(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(joined, "_score", lambda samples, settings: 3.0)
    power = json.loads((ScorerConfig().model_dir / "model.json").read_text())["pooling"]["power"]
    differences, moves = joined.score_joined(tmp_path, runs, ScorerConfig())
    mean = (2.0 * (HIGHEST - 4.0) ** power + 6.0 * (HIGHEST - 2.0) ** power) / 8.0
    assert differences == pytest.approx([3.0 - (HIGHEST - mean ** (1 / power))])
    assert moves == pytest.approx([0.0])


def test_clips_are_joined_at_one_level_and_then_in_reverse(runs, tmp_path, monkeypatch):
    scored = []
    monkeypatch.setattr(
        joined, "_score", lambda samples, settings: float(scored.append(samples) or len(scored))
    )
    _, moves = joined.score_joined(tmp_path, runs, ScorerConfig())
    assert moves == pytest.approx([1.0])
    forwards, backwards = scored
    assert len(forwards) == len(backwards) == 16_000 * 11
    assert not np.array_equal(forwards, backwards)
    levels = [np.sqrt(np.mean(np.square(part))) for part in (forwards[:48_000], forwards[-64_000:-16_000])]
    assert levels[0] == pytest.approx(levels[1], rel=0.02)
