"""The gradient step on both of Keras's backends: JAX learns what TensorFlow learns."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.unit.training.tiny_corpus import TINY, make_corpus
from training.network.dataset import evaluation_batches
from training.network.losses import losses
from training.network.model import build, build_for_training
from training.network.steps import FEWEST_CLIPS, FRAME_STEP, compiled, of_fixed_shape
from training.network.train import Trainer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning:keras")

CONFIG = replace(TINY, denoise=0.0)  # the denoising head is not part of a saved network, so it would differ
STEPS = 3


def run(corpus: Path, start: Path, out: Path) -> list[dict]:
    """The loss terms of three steps from the weights in ``start``, and the scores; saves the run in ``out``.

    Checks on the way that a resumed run has the same state, and that a step without a learning rate moves no
    weight.
    """
    trainer = Trainer(CONFIG, seed=1, start=start)
    batch = next(iter(evaluation_batches(sorted((corpus / "train").glob("*.npz")))))
    terms = [trainer.step(batch) for _ in range(STEPS)]
    trainer.save(out)
    saved = [np.array(variable) for variable in trainer.state.variables]
    trainer.step(batch)
    assert trainer.resume(out)
    for variable, value in zip(trainer.state.variables, saved, strict=True):
        np.testing.assert_array_equal(variable, value)
    weights = [np.array(variable) for variable in trainer.network.trainable_variables]
    trainer.state.optimizer.learning_rate.assign(0.0)
    trainer.step(batch)
    for variable, value in zip(trainer.network.trainable_variables, weights, strict=True):
        np.testing.assert_array_equal(variable, value)
    return [*terms, {"scores": trainer.predict(batch).tolist()}]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("corpus"))


def test_jax_takes_the_same_steps_as_tensorflow(corpus, tmp_path):
    start = tmp_path / "start.keras"
    build(CONFIG).save(start)
    child = "\n".join(
        [
            "import json, sys",
            "from pathlib import Path",
            "from tests.unit.training.test_steps import run",
            "print(json.dumps(run(*map(Path, sys.argv[1:]))))",
        ]
    )
    (tmp_path / "jax").mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", child, str(corpus), str(start), str(tmp_path / "jax")],
        env=os.environ
        | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (tmp_path / "tensorflow").mkdir()
    expected = run(corpus, start, tmp_path / "tensorflow")
    for found, terms in zip(json.loads(done.stdout.splitlines()[-1]), expected, strict=True):
        assert found.keys() == terms.keys()
        for name in terms:
            np.testing.assert_allclose(found[name], terms[name], rtol=2e-3, atol=1e-4, err_msg=name)
    frames = np.random.default_rng(0).random((1, 99, 257)).astype(np.float32)
    ours, theirs = (
        keras.models.load_model(tmp_path / backend / "network.keras", compile=False)(frames)
        for backend in ("tensorflow", "jax")
    )
    np.testing.assert_allclose(theirs["score"], ours["score"], atol=2e-3)


def test_a_batch_of_fixed_shape_has_the_same_losses(corpus):
    batch = next(iter(evaluation_batches(sorted((corpus / "train").glob("*.npz"))[:5])))
    padded = of_fixed_shape(batch)
    clips, frames = padded["mask"].shape
    assert clips == FEWEST_CLIPS and frames % FRAME_STEP == 0
    assert padded["costs"].shape[:2] == padded["frames"].shape[:2] == (clips, frames)
    network = build_for_training(TINY)
    before, after = (
        losses(TINY, network([each["frames"], each["mask"]], training=False), each)
        for each in (batch, padded)
    )
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, rtol=1e-4, err_msg=name)


def test_another_backend_is_an_error(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match="expected tensorflow or jax: set KERAS_BACKEND"):
        compiled(TINY, None)
