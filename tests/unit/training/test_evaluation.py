"""The measures, calibration, and a whole export and evaluation of a tiny corpus."""

import hashlib
import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import scipy.stats

from aqscore.causes import CAUSES
from aqscore.config import ScorerConfig
from aqscore.conformance import signals
from aqscore.model.loading import Model
from aqscore.model.runtimes import OUTPUTS
from aqscore.pipeline import score_file
from tests.unit.training.tiny_corpus import TINY, make_corpus
from training.evaluation import calibration, evaluate, human_scores, pooling
from training.evaluation.calibration import Prediction
from training.evaluation.robustness import CHANGES
from training.evaluation.statistics import bootstrap, pearson, rmse, roc_auc, shared_error, spearman
from training.evaluation.table import AT_LEAST, is_met, measured, print_table
from training.network.train import train
from training.release import export, promote
from training.release.card import BY_RULE, render

# TensorFlow 2.21 and Keras 3.15 use what NumPy 2.5 and Python 3.13 deprecate.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning:keras")


# One epoch is too short to learn to find speech: with this share of false speech, every clip has some.
EVERY_CLIP = 1.0


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A corpus, and the model of a one-epoch run on it."""
    folder = tmp_path_factory.mktemp("exported")
    corpus = make_corpus(folder / "corpus", dev=4)
    train(corpus, folder / "run", TINY, 1, epochs=1)
    lines = [
        {"file": f"dev_noise/{path.name}", "pesq": 2.5}
        for path in sorted((corpus / "dev_noise").glob("*.flac"))
    ]
    (corpus / "elsewhere.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    given = {"run": "run", "corpus": "corpus", "out": "model", "plots": "plots"}
    paths = given | {"elsewhere": "corpus/elsewhere.jsonl"}
    parts = [part for name, path in paths.items() for part in (f"--{name}", str(folder / path))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibration, "MAX_FALSE_SPEECH", EVERY_CLIP)
        export.main([*parts, "--widen", "1.5"])
    return folder


def test_measures_match_scipy():
    generator = np.random.default_rng(0)
    true = generator.uniform(1, 4.6, 200).round(1)
    predicted = true + generator.standard_normal(200)
    assert pearson(true, predicted) == pytest.approx(scipy.stats.pearsonr(true, predicted).statistic)
    assert spearman(true, predicted) == pytest.approx(scipy.stats.spearmanr(true, predicted).statistic)
    assert rmse(true, predicted) == pytest.approx(np.sqrt(np.mean((true - predicted) ** 2)))
    positive = true > 3
    u = scipy.stats.mannwhitneyu(predicted[positive].round(1), predicted[~positive].round(1)).statistic
    assert roc_auc(positive, predicted.round(1)) == pytest.approx(u / (positive.sum() * (~positive).sum()))


def test_shared_error_is_the_common_error_of_an_owners_clips():
    generator = np.random.default_rng(1)
    owner = np.repeat(np.arange(500), 6)
    shared = np.repeat(generator.normal(0, 0.5, 500), 6)
    predicted = shared + generator.normal(0, 0.8, len(owner))
    assert shared_error(owner, np.zeros(len(owner)), predicted) == pytest.approx(0.5, abs=0.05)
    assert shared_error(owner, np.zeros(len(owner)), predicted - shared) < 0.1
    assert np.isnan(shared_error(np.arange(9), np.zeros(9), np.ones(9)))


def test_measures_of_nothing_are_nan():
    assert np.isnan(pearson(np.ones(4), np.arange(4)))
    assert np.isnan(roc_auc(np.ones(4), np.arange(4)))


def test_bootstrap_without_any_value_is_nan():
    assert np.isnan(bootstrap(pearson, np.ones(4), np.arange(4))).all()
    assert measured("of no clip", np.mean, [np.empty(0)], AT_LEAST, 0.9, None)["value"] is None


def test_bootstrap_contains_the_value_and_narrows_with_more_data():
    widths = []
    for count in (50, 800):
        values = np.random.default_rng(1).standard_normal(count)
        low, high = bootstrap(np.mean, values)
        assert low < values.mean() < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


NO_SECONDS = np.zeros((2, 0, len(CAUSES)))  # of causes


def predictions(generator, count: int) -> list[Prediction]:
    found = []
    for index in range(count):
        true = generator.uniform(1.1, 4.5)
        speech = generator.beta(8, 2, 200)
        found.append(
            Prediction(
                {"set": "dev_noise", "pesq_wb": true, "snr_db": 5, "speakers": [f"speaker {index % 20}"]},
                true + 0.3 * generator.standard_normal(),
                speech,
                (np.nan, 3.0),
                NO_SECONDS,
            )
        )
        found.append(
            Prediction(
                {"set": "dev_no_speech", "pesq_wb": None, "snr_db": None},
                2.0,
                generator.beta(1, 9, 200),
                (np.nan, 3.0),
                NO_SECONDS,
            )
        )
    return found


def test_the_interval_covers_nine_of_ten_clips_it_has_not_seen():
    generator = np.random.default_rng(0)
    table = calibration.interval_table(
        predictions(generator, 600), {"speech_probability": 0.5, "clearest_speech": 0.5}
    )
    fresh = [p for p in predictions(generator, 600) if p.clip["pesq_wb"]]
    scores, true = np.array([p.overall for p in fresh]), np.array([p.clip["pesq_wb"] for p in fresh])
    lower, upper = (np.interp(scores, table["score"], table[side]) for side in ("lower", "upper"))
    assert 0.85 <= np.mean((true >= lower) & (true <= upper)) <= 0.95
    for values in (table["score"], table["lower"], table["upper"]):
        assert values == sorted(values)


@pytest.mark.parametrize("bias", [-1.0, 0.0, 1.0])
def test_a_factor_widens_the_interval_around_the_score(bias):
    found = [
        p._replace(overall=p.overall + bias) if p.clip["pesq_wb"] else p
        for p in predictions(np.random.default_rng(0), 300)
    ]
    rule = {"speech_probability": 0.5, "clearest_speech": 0.5}
    plain, wide = (calibration.interval_table(found, rule, factor) for factor in (1.0, 1.5))
    score = np.array(plain["score"])
    assert wide["score"] == plain["score"]
    assert (plain["widening"], wide["widening"]) == (1.0, 1.5)
    for side, sign in (("lower", -1), ("upper", 1)):
        near, far = (sign * (np.array(table[side]) - score) for table in (plain, wide))
        assert (far >= near).all()
        # The serving code adds the score itself to an interval that is all on one of its sides.
        inside = (near > 0.01) & (np.array(wide[side]) > 1.1) & (np.array(wide[side]) < 4.6)
        assert (far[inside] >= 1.2 * near[inside]).all()
        if bias == 0:
            assert (near > 0).all() and inside.any()


def test_a_network_that_finds_no_speech_is_not_calibrated():
    rule = {"speech_probability": 0.5, "clearest_speech": 1.1}
    with pytest.raises(ValueError, match="None of the .* clips .* expected some: .* train it for longer"):
        calibration.interval_table(predictions(np.random.default_rng(0), 20), rule)


def test_the_rule_separates_speech_from_noise():
    generator = np.random.default_rng(0)
    rule = calibration.no_speech_rule(predictions(generator, 100))
    for p in predictions(generator, 100):
        assert calibration.has_no_speech(p.speech, rule) == (p.clip["set"] == "dev_no_speech")


def test_the_rule_lets_little_noise_pass_and_misses_the_least_speech():
    generator = np.random.default_rng(0)
    noise = {"set": "dev_no_speech", "pesq_wb": None, "snr_db": None}
    speech = {"set": "dev_noise", "pesq_wb": 1.1, "snr_db": -5.0}
    found = [
        Prediction(clip, 1.5, np.full(100, level, np.float32), (np.nan, 3.0), NO_SECONDS)
        for clip, lowest in ((noise, 0.0), (speech, 0.5))
        for level in lowest + 0.6 * generator.random(200)
    ]
    rule = calibration.no_speech_rule(found)
    levels = np.sort([p.speech[0] for p in found if p.clip is noise])
    assert np.mean(levels >= rule["clearest_speech"]) <= calibration.MAX_FALSE_SPEECH
    # A hundredth lower, and too much would pass.
    assert np.mean(levels >= rule["clearest_speech"] - 0.01) > calibration.MAX_FALSE_SPEECH


def test_exported_model_is_whole_and_both_runtimes_agree(exported):
    folder = exported / "model"
    onnx, tensorflow = (Model(folder, runtime).network for runtime in ("onnx", "tensorflow"))
    for length in (1, 2, 3, 100, 101):
        frames = np.random.default_rng(length).random((length, 257)).astype(np.float32)
        for name, one, other in zip(OUTPUTS, onnx(frames), tensorflow(frames), strict=True):
            assert one.shape == ((length, len(CAUSES)) if name in ("causes", "costs") else (length,))
            np.testing.assert_allclose(one, other, atol=1e-4)
    info = json.loads((folder / "model.json").read_text())
    assert info["training"]["epochs_done"] == 1
    assert info["data"]["dev_noise"]["clips"] == 4


def test_the_rules_of_mos_and_causes_are_in_model_json_and_on_the_card(exported):
    info = json.loads((exported / "model" / "model.json").read_text())
    interval = info["mos"]["interval"]
    assert interval.keys() == {"mos", "lower", "upper"}
    assert len({len(values) for values in interval.values()}) == 1
    assert info["causes"]["kinds"] == list(CAUSES)
    assert all(0.2 <= threshold <= 0.9 for threshold in info["causes"]["threshold"])
    assert info["metrics"]["causes"] == {}  # too few clips
    info["causes"]["threshold"] = [0.5 + number / 16 for number in range(len(CAUSES))]
    info["metrics"]["causes"] = {
        "noise": {"clips": 40, "frames": 0.91, "recordings": 0.9512},
        "coding": {"clips": 12, "frames": None, "recordings": 0.8},
    }
    card = render(info)
    assert "| noise | 40 | 0.91 | 0.9512 | 0.5 |" in card
    assert "| coding | 12 | none | 0.8 | 0.75 |" in card
    assert "no better than these teachers" in card


def test_the_result_of_an_exported_model_has_mos_and_causes(exported):
    path = min((exported / "corpus" / "dev_noise").glob("*.flac"))
    with path.open("rb") as file:
        result = score_file(file, replace(ScorerConfig(), model_dir=exported / "model"))
    assert 1 <= result.mos_interval[0] <= result.mos <= result.mos_interval[1] <= 5
    assert {cause.kind for cause in result.causes} <= set(CAUSES)


def test_a_note_about_the_weights_replaces_the_standard_text(exported):
    info = json.loads((exported / "model" / "model.json").read_text())
    assert BY_RULE in render(info)
    info["training"]["note"] = "The third of five was taken."
    card = render(info)
    assert "The third of five was taken." in card
    assert BY_RULE not in card


def test_recalibration_keeps_the_network_and_its_training_record(exported, tmp_path, monkeypatch):
    monkeypatch.setattr(calibration, "MAX_FALSE_SPEECH", EVERY_CLIP)
    was = json.loads((exported / "model" / "model.json").read_text())
    was["data"]["train"]["clips"] = 12_345  # of a corpus that no longer exists
    again = tmp_path / "was"
    shutil.copytree(exported / "model", again)
    (again / "model.json").write_text(json.dumps(was))
    parts = ["--recalibrate", again, "--corpus", exported / "corpus", "--out", tmp_path / "out"]
    export.main([str(part) for part in [*parts, "--version", "2.0.0"]])
    model, before = (
        keras.models.load_model(folder / "model.keras", compile=False) for folder in (tmp_path / "out", again)
    )
    frames = np.random.default_rng(0).random((1, 30, 257)).astype(np.float32)
    for name, values in before(frames, training=False).items():
        np.testing.assert_allclose(model(frames, training=False)[name], values, atol=1e-6)
    info = json.loads((tmp_path / "out" / "model.json").read_text())
    assert info["version"] == "2.0.0"
    source = hashlib.sha256((again / "model.keras").read_bytes()).hexdigest()
    assert info["training"] == was["training"] | {"recalibrated_sha256": source}
    assert "training.release.export --recalibrate MODEL" in (tmp_path / "out" / "MODEL_CARD.md").read_text()
    assert info["data"] == was["data"]


def test_every_row_is_measured_and_the_card_carries_it(exported):
    rows = json.loads((exported / "model" / "model.json").read_text())["metrics"]["rows"]
    card = (exported / "model" / "MODEL_CARD.md").read_text()
    names = {row["name"] for row in rows}
    assert len(names) == len(rows) == 23 + len(CHANGES)
    assert {f"{change}: largest move" for change in CHANGES} < names
    assert all(f"| {row['name']} |" in card for row in rows)
    assert "$" not in card
    assert (exported / "plots" / "scatter.png").stat().st_size > 10_000


def test_recordings_from_elsewhere_are_measured_and_come_first_on_the_card(exported):
    elsewhere = json.loads((exported / "model" / "model.json").read_text())["metrics"]["elsewhere"]
    assert elsewhere["recordings"] == 4
    card = (exported / "model" / "MODEL_CARD.md").read_text()
    assert all(f"| {row['name']} |" in card for row in elsewhere["rows"])
    assert card.index("| elsewhere: Pearson, everything |") < card.index("| Pearson, additive noise |")


@pytest.mark.parametrize("older", [True, False])
def test_a_model_without_measures_from_elsewhere_has_a_card_and_a_table(exported, older, capsys):
    info = json.loads((exported / "model" / "model.json").read_text())
    if older:  # than 2.0.0
        del info["metrics"]["elsewhere"]
    else:
        info["metrics"]["elsewhere"] = None
    assert "Not measured on such recordings." in render(info)
    print_table(info["metrics"])
    assert "Pearson, additive noise" in capsys.readouterr().out


def test_the_factor_of_the_interval_is_recorded_and_on_the_card(exported):
    info = json.loads((exported / "model" / "model.json").read_text())
    assert info["interval"]["widening"] == 1.5
    assert "multiplied by 1.5" in (exported / "model" / "MODEL_CARD.md").read_text()


def test_no_scored_clip_makes_no_move(tmp_path):
    first, *rest, lost = evaluate._change_rows(tmp_path, [], ScorerConfig())
    assert first["value"] is None and lost["value"] == 0
    assert len(rest) == len(CHANGES)


def test_errors_count_a_clip_for_each_of_its_kinds():
    runs = [
        SimpleNamespace(clip={"pesq_wb": true, "noise_kinds": kinds}, result=SimpleNamespace(score=score))
        for true, score, kinds in ((1.5, 2.0, ["rain"]), (2.0, 2.5, ["frog", "rain"]), (4.0, 3.0, ["rain"]))
    ]
    errors = evaluate._errors(runs, lambda clip: clip["noise_kinds"])
    assert errors["frog"] == {"clips": 1, "pearson": None, "rmse": 0.5, "bias": 0.5}
    assert (errors["rain"]["clips"], errors["rain"]["bias"]) == (3, 0.0)
    assert errors["rain"]["rmse"] == pytest.approx(np.sqrt(0.5), abs=1e-4)


def test_thresholds_are_compared_in_the_right_direction():
    row = {"value": 0.9, "comparison": "at least", "threshold": 0.9, "target": 0.95}
    assert is_met(row, "threshold") and not is_met(row, "target")
    assert is_met({"value": 0.1, "comparison": "at most", "threshold": 0.2}, "threshold")
    assert not is_met({"value": 0.99, "comparison": "within", "threshold": (0.85, 0.95)}, "threshold")
    assert not is_met({"value": None, "comparison": "at least", "threshold": 0.9}, "threshold")


def test_conformance_scores_are_pinned_and_the_same_for_both_runtimes(exported):
    folder = exported / "model"
    pinned = json.loads((folder / "conformance.json").read_text())["scores"]
    assert list(pinned) == list(signals())
    promote.check(folder)


def test_the_power_is_found_at_which_true_frame_scores_give_the_recordings(tmp_path):
    (tmp_path / "train").mkdir()
    lines = []
    for number in range(4):
        worse = np.arange(100) < 10 * (number + 1)
        score = np.where(worse, 2.64, 4.64).astype(np.float32)
        arrays = {"frames": np.ones((100, 257)), "speech": np.ones(100), "reference": np.ones((100, 48))}
        arrays |= {"mos": np.nan, "costs": np.zeros((100, len(CAUSES)))}
        overall = 4.64 - 2 * np.mean(worse) ** (1 / 3)
        np.savez(tmp_path / "train" / f"{number}.npz", frame_scores=score, overall=overall, **arrays)
        lines.append(json.dumps({"clip": str(number), "set": "train", "pesq_wb": overall}) + "\n")
    (tmp_path / "manifest.jsonl").write_text("".join(lines))
    errors = {power: error for power, error, _ in pooling.pooling_errors(tmp_path, "train")}
    assert min(errors, key=errors.get) == 3.0
    assert errors[3.0] < 1e-3


def test_human_scores_are_compared_by_file_and_condition(exported, tmp_path, capsys):
    lines = ["path,MOS,condition"]
    for index, path in enumerate(sorted((exported / "corpus" / "dev_noise").glob("*.flac"))):
        lines.append(f"{path},{1 + index / 2},{index % 2}")
    table = tmp_path / "scores.csv"
    table.write_text("\n".join([*lines, "missing.wav,3,1"]) + "\n")
    rows = human_scores.read_rows(table)
    shutil.copytree(exported / "model", tmp_path / "model")
    info = json.loads((tmp_path / "model" / "model.json").read_text())
    info["no_speech"]["clearest_speech"] = 0.0  # one epoch is too short to learn to find speech
    (tmp_path / "model" / "model.json").write_text(json.dumps(info))
    columns = human_scores.compare(rows, replace(ScorerConfig(), model_dir=tmp_path / "model"))
    assert {name: len(mos) for name, (mos, _) in columns.items()} == {
        "score per file": 4,
        "mos per file": 4,
        "score per condition": 2,
        "mos per condition": 2,
    }
    assert not np.array_equal(columns["score per file"][1], columns["mos per file"][1])
    assert "missing.wav" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"), [("file,MOS\na,3\n", "expected path"), ("path,MOS\na,good\n", "line 2")]
)
def test_a_wrong_csv_is_explained(tmp_path, text, message):
    path = tmp_path / "scores.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        human_scores.read_rows(path)


def test_the_shipped_model_still_scores_the_conformance_signals_as_pinned():
    folder = ScorerConfig.from_env().model_dir
    assert list(json.loads((folder / "conformance.json").read_text())["scores"]) == list(signals())
    promote.check(folder)
