"""Calibration and measures of the MOS and the causes, with a network whose answers stand in its input."""

import json
import zlib
from types import SimpleNamespace

import numpy as np
import pytest

from aqscore.causes import CAUSES
from aqscore.model.pooling import FrameScores
from training.evaluation import calibration, description
from training.evaluation.calibration import Prediction
from training.evaluation.robustness import Run
from training.network.losses import ABSENT_COST, PRESENT_COST

# TensorFlow 2.21 and Keras 3.15 use what NumPy 2.5 and Python 3.13 deprecate.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning:keras")
FRAMES = 2 * calibration.SECOND
MOS_BIN, SPEECH_BIN = len(CAUSES), len(CAUSES) + 1
NOISE, REVERBERATION = CAUSES.index("noise"), CAUSES.index("reverberation")


def network(frames):
    """Returns as its outputs the values that a test wrote into the bins of the frames."""
    ones = np.ones(len(frames), np.float32)
    causes = frames[:, : len(CAUSES)]
    return FrameScores(ones, ones, frames[:, SPEECH_BIN], frames[:, MOS_BIN], causes, causes)


class Corpus:
    """Development clips of three labelled values each, in the layout of training.corpus.build."""

    def __init__(self, folder):
        self.folder = folder
        self.lines = []
        names = [f"speaker {number}" for number in range(100)]
        self.speakers = {
            fitted: [name for name in names if (zlib.crc32(name.encode()) % 2 == 0) == fitted]
            for fitted in (True, False)
        }

    def add(self, costs, probability, mos=(np.nan, 3.0), *, fitted=False, speech=1.0, name="dev_mixed"):
        """A clip: costs and probabilities by kind, the teacher's MOS and the network's."""
        number = len(self.lines)
        frames = np.zeros((FRAMES, 257), np.float32)
        labelled = np.zeros((FRAMES, len(CAUSES)), np.float32)
        for values, by_kind in ((labelled, costs), (frames, probability)):
            for kind, value in by_kind.items():
                values[:, CAUSES.index(kind)] = value
        frames[:, MOS_BIN], frames[:, SPEECH_BIN] = mos[1], speech
        (self.folder / name).mkdir(exist_ok=True)
        np.savez(
            self.folder / name / f"{number}.npz",
            frames=frames,
            overall=3.0,
            mos=mos[0],
            frame_scores=np.full(FRAMES, 3.0),
            costs=labelled,
            speech=np.full(FRAMES, speech),
            reference=np.zeros((FRAMES, 48)),
        )
        speaker = self.speakers[fitted][number % 20]
        self.lines.append({"clip": str(number), "set": name, "speakers": [speaker], "noise_kinds": []})
        (self.folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in self.lines))


@pytest.fixture
def corpus(tmp_path):
    return Corpus(tmp_path)


def value(measured, name):
    return next(row["value"] for row in measured["rows"] if row["name"].startswith(name))


def test_a_network_that_finds_one_cause_of_two_is_measured_as_such(corpus, rng):
    for number in range(24):
        has_noise, has_reverberation = number % 2 == 0, number % 4 < 2
        corpus.add(
            {"noise": 1.5 * has_noise, "reverberation": 0.8 * has_reverberation},
            {"noise": 0.7 if has_noise else 0.2, "reverberation": 0.3, "coding": 0.9},
        )
    measured = description.measure(network, corpus.folder, [])
    assert measured["causes"] == {
        "noise": {"clips": 12, "frames": 1.0, "recordings": 1.0},
        "reverberation": {"clips": 12, "frames": 0.5, "recordings": 0.5},
    }  # too few clips have any other
    assert value(measured, "causes: ROC area of frames") == 0.75
    assert value(measured, "causes: ROC area of recordings") == 0.75
    assert value(measured, "single cause") is None and value(measured, "MOS: RMSE") is None


def test_unknown_and_slight_costs_and_the_clips_for_calibration_are_not_measured(corpus):
    for number in range(24):
        has_noise = number % 2 == 0
        corpus.add({"noise": 1.5 * has_noise}, {"noise": 0.7 if has_noise else 0.2}, (2.0 + has_noise, 2.5))
    expected = description.measure(network, corpus.folder, [])
    for _ in range(5):
        corpus.add({"noise": np.nan}, {"noise": 0.1})
        corpus.add({"noise": (ABSENT_COST + PRESENT_COST) / 2}, {"noise": 0.9})
        corpus.add({"noise": 2.0}, {"noise": 0.0}, (5.0, 1.0), fitted=True)
        corpus.add({"noise": 2.0}, {"noise": 0.0}, speech=0.0)
        corpus.add({"noise": np.nan}, {"noise": 0.9}, name="dev_no_speech")
    assert description.measure(network, corpus.folder, []) == expected
    assert value(expected, "MOS: RMSE") == 0.5


def test_an_area_that_is_not_defined_is_null_and_not_in_the_mean(corpus):
    for number in range(24):
        has_noise = number % 2 == 0
        corpus.add(
            {"noise": 1.5 * has_noise, "level": 1.0}, {"noise": 0.7 if has_noise else 0.2, "level": 0.5}
        )
    measured = description.measure(network, corpus.folder, [])
    assert measured["causes"]["level"] == {"clips": 24, "frames": None, "recordings": None}
    assert value(measured, "causes: ROC area of frames") == 1.0
    json.dumps(measured, allow_nan=False)


def test_a_cause_in_a_part_of_a_clip_is_looked_for_there(corpus):
    inside = np.arange(FRAMES) < FRAMES // 4
    for number in range(24):
        costs = np.where(inside, 1.5, 0.0) if number % 2 else 0.0
        corpus.add({"noise": costs}, {"noise": np.where(inside & (number % 2 > 0), 0.9, 0.3)})
    areas = description.measure(network, corpus.folder, [])["causes"]
    assert areas == {"noise": {"clips": 12, "frames": 1.0, "recordings": 1.0}}


def test_mos_is_compared_with_the_teachers(corpus):
    for number in range(20):
        true = 1 + number / 5
        corpus.add({}, {}, (true, true + 0.1))
        corpus.add({}, {})  # without a teacher's score
    measured = description.measure(network, corpus.folder, [])
    assert value(measured, "MOS: Pearson") == pytest.approx(1, abs=1e-4)
    assert value(measured, "MOS: RMSE") == pytest.approx(0.1, abs=1e-3)


def test_the_first_cause_of_a_single_degradation_is_checked_under_a_low_score(tmp_path):
    (tmp_path / "manifest.jsonl").write_text("")

    def run(kinds, named, pesq=2.0):
        causes = None if named is None else [SimpleNamespace(kind=kind) for kind in named]
        clip = {"degradations": [{"kind": kind} for kind in kinds], "pesq_wb": pesq}
        return Run(clip, SimpleNamespace(causes=causes))

    right = [
        run(["noise"], ["noise", "coding"]),
        run(["codec", "clean"], ["coding"]),
        run(["mnru", "mnru"], ["coding"]),
    ]
    wrong = [run(["reverb"], ["noise", "reverberation"]), run(["gain"], [])]
    left_out = [
        run(["noise", "reverb"], ["noise"]),
        run(["noise"], ["coding"], pesq=3.0),
        run(["noise"], None),
        run([], []),
    ]
    measured = description.measure(network, tmp_path, [*right, *wrong, *left_out])
    assert value(measured, "single cause") == 0.6


def prediction(mos=(np.nan, np.nan), seconds=None):
    seconds = np.zeros((2, 0, len(CAUSES))) if seconds is None else seconds
    return Prediction({"speakers": ["s"]}, 3.0, np.ones(1), mos, seconds)


def test_the_mos_interval_covers_nine_of_ten_clips_it_has_not_seen(rng):
    def scored(count):
        true = rng.uniform(1.2, 4.8, count)
        return np.clip(true + 0.3 * rng.standard_normal(count), 1, 5), true

    fitted, true = scored(1500)
    unknown = [prediction((np.nan, 1.0)), prediction((5.0, np.nan))]
    table = calibration.mos_interval_table(
        [prediction(pair) for pair in zip(true, fitted, strict=True)] + unknown
    )
    assert table.keys() == {"mos", "lower", "upper"}
    predicted, true = scored(1500)
    lower, upper = (np.interp(predicted, table["mos"], table[side]) for side in ("lower", "upper"))
    assert 0.87 <= np.mean((lower <= true) & (true <= upper)) <= 0.93
    for values in table.values():
        assert values == sorted(values) and values[0] >= 1.0 and values[-1] <= 5.0


def test_a_corpus_without_a_teachers_scores_is_reported():
    with pytest.raises(ValueError, match="expected some: build the corpus with --teacher"):
        calibration.mos_interval_table([prediction((np.nan, 3.0))])


def test_a_threshold_balances_missed_and_false_seconds(rng):
    count = 4000
    costs = np.where(rng.random((count, len(CAUSES))) < 0.5, 0.0, 1.0)
    costs[rng.random(costs.shape) < 0.2] = np.nan
    costs[rng.random(costs.shape) < 0.2] = 0.3  # neither absent nor present: it does not count
    probability = np.where(costs == 0, rng.beta(2, 4, costs.shape), rng.beta(4, 2, costs.shape))
    seconds = np.stack([costs, probability])
    parts = [prediction(seconds=part) for part in np.split(seconds, 8, axis=1)]
    rule = calibration.cause_thresholds(parts)
    assert rule["kinds"] == list(CAUSES)
    for threshold, true, found in zip(rule["threshold"], costs.T, probability.T, strict=True):

        def f1(at, true=true, found=found):
            named, present = found[true != 0.3] >= at, true[true != 0.3] >= 0.5
            known = np.isfinite(true[true != 0.3])
            return 2 * np.sum(named & present) / (np.sum(named & known) + np.sum(present))

        assert f1(threshold) >= max(f1(0.25), f1(0.75), f1(threshold - 0.1), f1(threshold + 0.1)) - 0.002


def test_a_cause_that_no_second_has_gets_even_chances():
    assert calibration.cause_thresholds([prediction()])["threshold"] == [0.5] * len(CAUSES)


def test_predictions_hold_the_calibration_half_with_its_whole_seconds_of_speech(corpus):
    late = np.arange(FRAMES) >= calibration.SECOND
    corpus.add({"noise": 1.0, "level": np.nan}, {"noise": np.where(late, 0.8, 0.2)}, (2.0, 2.5), fitted=True)
    corpus.add({"noise": np.where(late, 1.0, 0.0)}, {"noise": 0.4}, fitted=True, speech=1.0 * late)
    corpus.add({"noise": np.where(np.arange(FRAMES) < 10, 1.0, 0.0)}, {"noise": 0.4}, fitted=True)
    corpus.add({"noise": 1.0}, {"noise": 0.9})
    whole, half, mixed = calibration.predictions(network, 3.0, corpus.folder)
    assert whole.mos == pytest.approx((2.0, 2.5))
    costs, probability = whole.seconds
    assert costs[:, NOISE].tolist() == [1.0, 1.0] and np.isnan(costs[:, CAUSES.index("level")]).all()
    np.testing.assert_allclose(probability[:, NOISE], [0.2, 0.8], rtol=1e-6)
    assert half.seconds[0, :, NOISE].tolist() == [1.0]  # the first second has no speech
    assert np.isnan(mixed.seconds[0, 0, NOISE]) and mixed.seconds[0, 1, NOISE] == 0
    assert (mixed.seconds[0, :, REVERBERATION] == 0).all()
