"""MOS and causes, from samples to the report, with a network whose outputs are chosen."""

from typing import ClassVar

import numpy as np
import pytest

from aqscore import pipeline
from aqscore.audio.array_source import AudioArray
from aqscore.model.features import SPEC
from aqscore.model.loading import Model, read_model_info
from aqscore.model.pooling import FrameScores
from aqscore.model.runtimes import NETWORKS
from aqscore.pipeline import ScoreOptions, score_recording
from tests.frame_scores import frame_scores

RATE = 16_000
TONE_HZ = 7_000
TONE_BIN = TONE_HZ * SPEC.frame_length // RATE


class ToneNetwork:
    """Takes all sound for speech, and a tone of 7 kHz for noise that costs 1.5."""

    file: ClassVar = "onnx"
    package: ClassVar = "onnxruntime"

    def __init__(self, path, threads) -> None:
        pass

    def __call__(self, frames: np.ndarray) -> FrameScores:
        tone = frames[:, TONE_BIN] > 10 * np.median(frames, axis=1)
        return frame_scores(
            np.where(tone, 2.5, 4.0), speech=0.9, mos=np.where(tone, 2.0, 4.5),
            causes={"noise": np.where(tone, 0.95, 0.05), "coding": 0.2}, costs={"noise": 1.5, "coding": 2.0},
        )  # fmt: skip


@pytest.fixture
def score(monkeypatch, config):
    monkeypatch.setitem(NETWORKS, "onnx", ToneNetwork)
    model = Model(config.model_dir, "onnx")
    monkeypatch.setattr(pipeline, "load_model", lambda config: model)

    def scored(*channels, **options):
        audio = AudioArray(np.stack(channels, axis=1).astype(np.float32), RATE)
        return score_recording(audio, config, ScoreOptions(frames=False, **options))

    return scored


@pytest.fixture
def plain(rng) -> np.ndarray:
    return 0.05 * rng.standard_normal(8 * RATE)


@pytest.fixture
def toned(plain) -> np.ndarray:
    """With the tone from 3 to 5 s."""
    at = np.arange(len(plain)) / RATE
    return plain + np.where((at >= 3) & (at < 5), 0.3 * np.sin(2 * np.pi * TONE_HZ * at), 0)


def test_a_cause_in_seconds_3_to_5_is_reported_there(score, toned):
    report = score(toned)
    [cause] = report.causes
    assert (cause.kind, cause.severity, cause.from_s, cause.to_s) == ("noise", 1.5, 3.0, 5.0)
    assert cause.share == pytest.approx(0.25, abs=0.01)
    assert [second.cause for second in report.timeline] == [None] * 3 + ["noise"] * 2 + [None] * 3
    assert report.worst_segment.cause == "noise"


def test_the_mos_is_the_mean_over_the_speech_and_has_the_interval_of_the_model(score, plain, toned, config):
    report = score(toned)
    assert report.mos == pytest.approx(0.75 * 4.5 + 0.25 * 2.0, abs=0.03)
    table = read_model_info(config.model_dir)["mos"]["interval"]
    lower, upper = (np.interp(report.mos, table["mos"], table[side]) for side in ("lower", "upper"))
    assert report.mos_interval == pytest.approx((min(lower, report.mos), max(upper, report.mos)), abs=0.02)
    assert score(np.concatenate([toned, np.zeros(5 * RATE)])).mos == pytest.approx(report.mos, abs=0.02)


def test_a_clean_recording_has_an_empty_list(score, plain):
    report = score(plain)
    assert report.causes == []
    assert report.worst_segment.cause is None


def test_each_channel_has_its_own_mos_and_causes(score, plain, toned):
    report = score(plain, toned, channels="split")
    first, second = report.channels
    assert (first.causes, first.mos) == ([], 4.5)
    assert [cause.kind for cause in second.causes] == ["noise"]
    assert second.mos < 4.0


def test_the_times_of_a_part_count_from_the_files_beginning(score, toned):
    [cause] = score(toned, start_s=2.0, end_s=4.5).causes
    assert (cause.from_s, cause.to_s) == (3.0, 4.5)


def test_without_a_score_there_is_neither_mos_nor_causes(score):
    report = score(np.zeros(2 * RATE))
    assert report.score is None
    assert (report.mos, report.mos_interval, report.causes) == (None, None, None)
