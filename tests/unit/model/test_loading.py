"""Loading a model: once per process, and only one that fits this version."""

import json
import shutil

import numpy as np
import pytest

from aqscore.config import ScorerConfig
from aqscore.errors import SetupError
from aqscore.model.features import SPEC
from aqscore.model.loading import Model, ModelFiles, load_model
from aqscore.model.pooling import FrameScores
from aqscore.model.runtimes import NETWORKS, OnnxNetwork

FOLDER = ScorerConfig().model_dir


@pytest.fixture
def copy(tmp_path):
    """A copy of the shipped model that a test may change."""
    return shutil.copytree(FOLDER, tmp_path / "model")


def test_loading_makes_the_first_call_of_the_network(monkeypatch):
    calls = []

    class Network(OnnxNetwork):
        def __call__(self, frames: np.ndarray) -> FrameScores:
            calls.append(frames.shape)
            return super().__call__(frames)

    monkeypatch.setitem(NETWORKS, "onnx", Network)
    Model(FOLDER, "onnx")
    assert calls == [(1, SPEC.bins)]


def test_a_model_is_loaded_once_per_process(config):
    assert load_model(config) is load_model(ScorerConfig())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"features": SPEC.as_dict() | {"hop": 128}}, "trained on other features: hop is 128, expected 256"),
        ({"features": {}}, "sample_rate_hz is None, expected 16000"),
        ({"scale": "P.800 MOS"}, "scores on the scale 'P.800 MOS', expected 'PESQ-WB MOS-LQO'"),
        ({"no_speech": {"speech_probability": 0.85, "least_speech_s": 0.35}}, "expected clearest_speech"),
        ({"pooling": None}, "has pooling None, expected power in it"),
        ({"mos": None}, "has mos None, expected interval in it: an older version wrote it"),
        ({"causes": {}}, "has causes {}, expected kinds in it: an older version wrote it"),
        ({"causes": {"kinds": ["noise"]}}, "expected threshold in it"),
        ({"causes": {"kinds": ["noise"], "threshold": [0.5]}}, r"tells the causes \['noise'\], expected"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(copy, change, text):
    info = json.loads((copy / "model.json").read_text()) | change
    (copy / "model.json").write_text(json.dumps(info))
    with pytest.raises(SetupError, match=text):
        Model(copy, "onnx")


def test_a_changed_file_is_refused(copy):
    info = json.loads((copy / "model.json").read_text())
    with (copy / info["files"]["onnx"]["name"]).open("ab") as file:
        file.write(b"!")
    with pytest.raises(SetupError, match="not the file that model.json describes"):
        Model(copy, "onnx")


def test_a_runtime_that_is_not_installed_is_named_before_it_is_loaded(monkeypatch):
    monkeypatch.setattr(OnnxNetwork, "package", "no_such_runtime")
    with pytest.raises(SetupError, match="needs the package no_such_runtime, which is not installed"):
        ModelFiles(FOLDER, "onnx")


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(SetupError, match=r"expected model\.json there"):
        Model(tmp_path, "onnx")
