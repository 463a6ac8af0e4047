"""The runtimes: ONNX Runtime and TensorFlow give the same scores, and neither sends data home."""

import subprocess
import sys

import numpy as np
import pytest

from aqscore.causes import CAUSES
from aqscore.config import ScorerConfig
from aqscore.model.features import SPEC, frames_of
from aqscore.model.loading import Model
from aqscore.model.runtimes import OUTPUTS
from tests.conftest import ROOT

FOLDER = ScorerConfig().model_dir


@pytest.fixture(scope="module")
def tensorflow() -> Model:
    return Model(FOLDER, "tensorflow")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("frames", [1, 2, 3, 31, 384, 1_000])
def test_tensorflow_and_onnx_agree_to_1e_4(onnx, tensorflow, speech, frames):
    looped = np.tile(frames_of(speech), (3, 1))[:frames]
    for name, ours, theirs in zip(OUTPUTS, onnx.network(looped), tensorflow.network(looped), strict=True):
        assert ours.shape == ((frames, len(CAUSES)) if name in ("causes", "costs") else (frames,))
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning:keras")
def test_no_layer_of_the_network_is_idle(speech, rng):
    """Models 1.1.0 to 1.3.0 shipped with convolutions whose output was always zero."""
    import keras
    import tensorflow as tf

    network = keras.models.load_model(FOLDER / "model.keras", compile=False)
    run = tf.function(lambda frames: network(frames, training=False))
    noisy = speech + 0.02 * rng.standard_normal(len(speech)).astype(np.float32)
    frames = frames_of(np.concatenate([speech, noisy]))[None, :250]
    whole = run(frames)
    idle = []
    layers = [
        part for layer in network.layers for part in (layer.layers if hasattr(layer, "layers") else [layer])
    ]
    for layer in layers:
        if weights := layer.get_weights():
            layer.set_weights([np.zeros_like(weight) for weight in weights])
            without = run(frames)
            layer.set_weights(weights)
            if all(np.allclose(without[name], whole[name], atol=1e-3) for name in whole):
                idle.append(layer.name)
    assert idle == []


def test_outputs_are_in_range(onnx, rng):
    scores = onnx.network(rng.exponential(3, (200, SPEC.bins)).astype(np.float32))
    assert scores.score.min() >= 1.04 and scores.score.max() <= 4.6401
    assert scores.weight.min() > 0
    assert scores.speech.min() >= 0 and scores.speech.max() <= 1
    assert scores.mos.min() >= 1 and scores.mos.max() <= 5
    assert scores.causes.min() >= 0 and scores.causes.max() <= 1
    assert scores.costs.min() >= 0


def test_onnx_runtime_writes_no_telemetry(tmp_path):
    """With telemetry on, ONNX Runtime writes an identifier of the machine into the home folder."""
    subprocess.run(
        [sys.executable, "-c", "from aqscore.model.loading import *; load_model(ScorerConfig())"],
        cwd=ROOT,
        env={"HOME": str(tmp_path)},
        check=True,
    )
    assert not list(tmp_path.iterdir())
