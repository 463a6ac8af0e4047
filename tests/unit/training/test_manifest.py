"""training/evaluation/manifest.py: labelled recordings from elsewhere, measured with the shipped model."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile as sf

from aqscore.model.features import SPEC
from tests.conftest import EXAMPLES
from training.evaluation import manifest
from training.evaluation.manifest import MIN_CLIPS, Labelled, measure, read_lines

RATE = SPEC.sample_rate_hz


def write(folder: Path, *lines: object) -> Path:
    path = folder / "manifest.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def field(tmp_path_factory) -> Path:
    """A manifest of five recordings: three of speech, one of silence, and one in a folder of its own."""
    folder = tmp_path_factory.mktemp("field")
    speech, _ = sf.read(EXAMPLES / "clean.flac", dtype="float32")
    noise = np.random.default_rng(0).standard_normal(len(speech)).astype(np.float32)
    (folder / "far").mkdir()
    for name, samples in {
        "clean.flac": speech,
        "noisy.flac": speech + 0.01 * noise,
        "noisier.flac": speech + 0.05 * noise,
        "silence.flac": np.zeros(3 * RATE, np.float32),
        "far/again.flac": speech + 0.02 * noise,
    }.items():
        sf.write(folder / name, samples.clip(-1, 1), RATE)
    return write(
        folder,
        {"file": "clean.flac", "pesq": 4.5, "set": "clean", "kinds": [], "speaker": "ignored"},
        {"file": "noisy.flac", "pesq": 2.0, "set": "noise", "kinds": ["noise"]},
        "",
        {"file": "noisier.flac", "pesq": 1.2, "set": "noise", "kinds": ["noise"]},
        {"file": "silence.flac", "pesq": 1.04},
        {"file": "far/again.flac", "pesq": 1.7},
    )


@pytest.fixture(scope="module")
def found(field, config) -> dict:
    return measure(field, config)


def values(measured: dict) -> dict[str, float | None]:
    return {row["name"].removeprefix("elsewhere: "): row["value"] for row in measured["rows"]}


def test_every_recording_counts_and_its_optional_fields_may_be_missing(found):
    assert found["recordings"] == 5
    rows = values(found)
    assert rows["recordings without a score"] == 1
    assert rows["Pearson, everything"] > 0.7
    assert 0 <= rows["RMSE, everything"] < 1.5


def test_sets_have_rows_of_their_own_where_there_are_any(found, field, config, tmp_path):
    assert {"Pearson, set noise", "mean error of clean recordings"} <= values(found).keys()
    assert "Pearson, set all" not in values(found)
    plain = [{"file": str(field.parent / line["file"]), "pesq": line["pesq"]} for line in read_lines(field)]
    assert [name for name in values(measure(write(tmp_path, *plain), config)) if "set" in name] == []


def test_without_any_score_values_are_missing(field, config, tmp_path):
    line = {"file": str(field.parent / "silence.flac"), "pesq": 1.04, "set": "clean", "kinds": []}
    rows = values(measure(write(tmp_path, line), config))
    assert rows["recordings without a score"] == 1
    assert rows["Pearson, everything"] is rows["90 % interval covers the true score"] is None
    assert json.dumps(rows, allow_nan=False)


def labelled(pesq: float, score: float | None, **line: object) -> Labelled:
    """A recording whose interval reaches 0.5 to both sides of its score."""
    interval = None if score is None else (score - 0.5, score + 0.5)
    return Labelled({"pesq": pesq, **line}, SimpleNamespace(score=score, interval=interval))


@pytest.fixture
def results(monkeypatch, tmp_path):
    """Measures given results: ``results([Labelled, ...])``."""

    def measured(runs: list[Labelled]) -> dict:
        (tmp_path / "any").touch()
        left = iter(runs)
        monkeypatch.setattr(manifest, "score_file", lambda *_, **__: next(left).result)
        return measure(write(tmp_path, *({"file": "any"} | run.line for run in runs)), None)

    return measured


def test_kinds_alone_are_measured_apart(results):
    steps = np.linspace(1.5, 4, MIN_CLIPS)
    found = results(
        [labelled(pesq, pesq + 0.4, kinds=["coding"]) for pesq in steps]
        + [labelled(pesq, pesq - 0.2, kinds=[]) for pesq in steps]
        + [labelled(pesq, pesq - 0.2) for pesq in steps]  # without kinds: clean too
        + [labelled(pesq, 5.0 - pesq, kinds=["coding", "noise"]) for pesq in steps]
        + [labelled(pesq, pesq + 1.0, kinds=["rare"]) for pesq in steps[1:]]
        + [labelled(2.0, None, kinds=["coding"])]
    )
    assert found["groups"] == {
        "clean": {"clips": 2 * MIN_CLIPS, "pearson": 1.0, "rmse": 0.2, "bias": -0.2},
        "coding": {"clips": MIN_CLIPS, "pearson": 1.0, "rmse": 0.4, "bias": 0.4},
    }


def test_coverage_is_that_of_all_recordings_and_of_the_worst_kind(results):
    found = results(
        [labelled(2.0, 2.4, kinds=["coding"])] * 15
        + [labelled(2.0, 2.6, kinds=["noise"])] * 3
        + [labelled(4.644, 4.14, kinds=["noise"])] * 12  # PESQ's own top, above the scale's
    )
    rows = values(found)
    assert rows["90 % interval covers the true score"] == 0.9
    assert rows["lowest coverage of a kind"] == 0.8


def test_the_error_of_clean_recordings_is_signed(results):
    rows = values(results([labelled(4.5, 4.0, set="clean")] * 3 + [labelled(2.0, 4.0, set="noise")]))
    assert rows["mean error of clean recordings"] == -0.5


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"file": "a.wav", "pesq": 2.0', "is not JSON"),
        ("a.wav,2.0", "is not JSON"),
        (["a.wav", 2.0], "is not an object"),
        ({"pesq": 2.0}, "has the file None"),
        ({"file": "a.wav"}, "has the pesq None"),
        ({"file": "a.wav", "pesq": "2.0"}, "has the pesq '2.0'"),
        ('{"file": "a.wav", "pesq": NaN}', "has the pesq nan"),
        ({"file": "a.wav", "pesq": 2.0, "kinds": "noise"}, "has the kinds 'noise'"),
        ({"file": "a.wav", "pesq": 2.0, "set": ["noise"]}, "has the set"),
    ],
)
def test_an_unreadable_line_is_named_with_a_correct_one(tmp_path, line, problem):
    path = write(tmp_path, {"file": "b.wav", "pesq": 1.5}, "", line)
    with pytest.raises(ValueError) as error:
        read_lines(path)
    message = str(error.value)
    assert message.startswith(f"{path}, line 3 {problem}")
    assert 'expected an object such as {"file": ' in message
    assert message.endswith("Correct or remove the line.")


def test_an_empty_manifest_and_missing_files_are_named(tmp_path, config):
    with pytest.raises(ValueError, match="names no recording, expected one on each line"):
        read_lines(write(tmp_path, ""))
    with pytest.raises(FileNotFoundError, match="nothing"):
        read_lines(tmp_path / "nothing.jsonl")
    with pytest.raises(FileNotFoundError, match=r"gone\.wav"):
        measure(write(tmp_path, {"file": "gone.wav", "pesq": 2.0}), config)
