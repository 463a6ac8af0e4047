"""Training on a few clips: it learns, resumes, starts warm, and rejects wrong settings."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from aqscore.causes import CAUSES
from tests.unit.training.tiny_corpus import TINY, make_corpus
from training.network.dataset import (
    epoch_files,
    evaluation_batches,
    load_clip,
    read_manifest,
    training_batches,
)
from training.network.model import build
from training.network.optimisation import LAST_RATE, WARM_UP, precision, scheduled_rate
from training.network.train import Trainer, train

# TensorFlow 2.21 and Keras 3.15 use what NumPy 2.5 and Python 3.13 deprecate.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::FutureWarning:keras",
    "ignore:Even though the `tf.config:UserWarning",
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("flags : sse2 avx2 avx512_bf16 fma", "mixed_bfloat16"),
        ("flags : avx512f amx_bf16", "mixed_bfloat16"),
        ("Features : fp asimd bf16", "mixed_bfloat16"),
        ("flags : sse2 avx2 avx512_vnni fma", "float32"),
        (None, "float32"),
    ],
)
def test_convolutions_train_in_bfloat16_only_on_cpus_that_have_it(tmp_path, listed, expected):
    if listed:
        (tmp_path / "cpuinfo").write_text(listed)
    assert precision(tmp_path / "cpuinfo") == expected


def epoch_batches(corpus, clips, seed, epoch=0):
    return training_batches(epoch_files(corpus, clips, seed, epoch), seed, epoch)


def test_batches_hold_every_clip_once_and_mask_what_is_padded(corpus):
    lengths = []
    for batch in epoch_batches(corpus, clips=100, seed=3):
        assert batch["frames"].shape[1:] == (batch["mask"].shape[1], 257)
        assert batch["costs"].shape[1:] == (batch["mask"].shape[1], len(CAUSES))
        for name in ("frame_scores", "costs"):
            assert np.isnan(batch[name].numpy()[~batch["mask"].numpy()]).all()
        assert batch["mos"].shape == batch["overall"].shape
        assert not batch["frames"].numpy()[~batch["mask"].numpy()].any()
        lengths.extend(np.count_nonzero(batch["mask"], axis=1))
    clips = [load_clip(path) for path in (corpus / "train").glob("*.npz")]
    assert len(lengths) == len(clips)
    assert sum(lengths) >= sum(len(clip["frames"]) for clip in clips)


def test_a_batch_has_the_labels_of_its_clips(corpus):
    clips = {
        float(clip["overall"]): clip for path in (corpus / "train").glob("*.npz") if (clip := load_clip(path))
    }
    seen = 0
    for batch in evaluation_batches(sorted((corpus / "train").glob("*.npz"))):
        for row, overall in enumerate(batch["overall"].numpy()):
            clip, mask = clips[float(overall)], batch["mask"][row].numpy()
            assert batch["mos"][row] == clip["mos"]
            np.testing.assert_array_equal(batch["costs"][row].numpy()[mask], clip["costs"])
            seen += 1
    assert seen == len(clips)


def test_batches_are_not_tuned_at_run_time(corpus):
    assert epoch_batches(corpus, clips=6, seed=9).options().autotune.enabled is False


def test_the_same_seed_gives_the_same_batches(corpus):
    first, second = (list(epoch_batches(corpus, clips=6, seed=9)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one["frames"], other["frames"])
        np.testing.assert_array_equal(one["overall"], other["overall"])


def scores_of(corpus, clips, epoch):
    batches = epoch_batches(corpus, clips, seed=2, epoch=epoch)
    return sorted(float(score) for batch in batches for score in batch["overall"])


def test_every_clip_is_used_once_before_any_is_used_twice(corpus):
    uses = {float(load_clip(path)["overall"]): 0 for path in (corpus / "train").glob("*.npz")}
    assert len(uses) == 12
    for epoch in range(12):
        for score in scores_of(corpus, 5, epoch):
            uses[score] += 1
        assert max(uses.values()) - min(uses.values()) <= 1
    assert set(uses.values()) == {5}


def test_every_pass_over_the_clips_has_an_order_of_its_own(corpus):
    first, second = ([scores_of(corpus, 4, epoch) for epoch in epochs] for epochs in ((0, 1, 2), (3, 4, 5)))
    assert sorted(sum(first, [])) == sorted(sum(second, []))
    assert sorted(first) != sorted(second)


def test_a_train_set_without_clips_says_so(tmp_path):
    with pytest.raises(ValueError, match="no clip, expected some"):
        epoch_files(tmp_path, clips=5, seed=1, epoch=0)


@pytest.fixture(scope="module")
def trained(corpus):
    """A trainer after five steps on one batch, with the loss and the weights after each step."""
    trainer = Trainer(TINY, seed=0)
    batch = next(iter(epoch_batches(corpus, clips=12, seed=1)))
    errors, weights = [], []
    for _ in range(5):
        errors.append(float(trainer.step(batch)["utterance"]))
        weights.append([variable.numpy() for variable in trainer.network.trainable_variables])
    return SimpleNamespace(
        trainer=trainer, batch=batch, errors=errors, weights=weights, averaged=trainer.averaged_weights()
    )


def test_the_exported_weights_average_all_steps_and_weight_later_ones_more(trained):
    counts = [
        step * (step + 1) for step in range(1, 6)
    ]  # the closed form for a power of 2 (Shamir and Zhang)
    for exported, *steps in zip(trained.averaged, *trained.weights, strict=True):
        assert np.ptp(steps, axis=0).max() > 1e-3
        np.testing.assert_allclose(exported, np.average(steps, axis=0, weights=counts), atol=1e-6)


def test_a_checkpoint_restores_weights_optimiser_and_average(trained, tmp_path):
    trained.trainer.save(tmp_path)
    resumed = Trainer(TINY, seed=9)
    assert not resumed.resume(tmp_path / "nothing")
    assert resumed.resume(tmp_path)
    for one, other in zip(_state(resumed), _state(trained.trainer), strict=True):
        np.testing.assert_array_equal(one, other)


def _state(trainer):
    return [variable.numpy() for variable in trainer.state.variables]


def test_it_fits_a_few_clips(trained):
    terms = [trained.trainer.step(trained.batch) for _ in range(80)]
    assert float(terms[-1]["utterance"]) < 0.05 < trained.errors[0]
    for name in ("mos", "causes"):
        assert float(terms[-1][name]) < 0.5 * float(terms[0][name]), name


@pytest.fixture
def without_steps(monkeypatch):
    """Epochs that leave the weights as they are."""
    monkeypatch.setattr(
        Trainer, "run_epoch", lambda self, *_: {"epoch": len(self.history) + 1, "clips": 12, "loss": 1.0}
    )
    monkeypatch.setattr(Trainer, "development_measures", lambda self, corpus: {})


def test_a_stopped_run_resumes_after_its_last_epoch(without_steps, corpus, tmp_path, monkeypatch):
    whole_epoch = Trainer.run_epoch

    def stop_in_the_second(self, *arguments):
        if self.history:
            raise KeyboardInterrupt
        return whole_epoch(self, *arguments)

    monkeypatch.setattr(Trainer, "run_epoch", stop_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        train(corpus, tmp_path, TINY, 5, epochs=2)
    monkeypatch.setattr(Trainer, "run_epoch", whole_epoch)
    assert [epoch["epoch"] for epoch in train(corpus, tmp_path, TINY, 5, epochs=2)] == [1, 2]
    written = {path.name for path in tmp_path.iterdir()}
    assert {"network.keras", "run.json", "history.json", "curves.png"} <= written


def test_a_warm_start_is_recorded(without_steps, corpus, tmp_path):
    start = tmp_path / "model.keras"
    build(TINY).save(start)
    train(corpus, tmp_path / "run", TINY, 5, epochs=1, start=start)
    assert "warm_start_sha256" in json.loads((tmp_path / "run" / "run.json").read_text())
    networks = [
        keras.models.load_model(path, compile=False) for path in (start, tmp_path / "run" / "network.keras")
    ]
    for one, other in zip(*(network.get_weights() for network in networks), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="another run"):
        train(corpus, tmp_path / "run", TINY, 5, epochs=1)


def test_a_folder_of_another_run_is_rejected(corpus, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"seed": 1}))
    with pytest.raises(ValueError, match="another run"):
        train(corpus, tmp_path, TINY, 5, epochs=1)


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"no manifest\.jsonl"):
        read_manifest(tmp_path)


def test_a_manifest_is_read_up_to_its_last_whole_line(corpus, tmp_path):
    text = (corpus / "manifest.jsonl").read_text()
    (tmp_path / "manifest.jsonl").write_text(text[:-20])
    assert len(read_manifest(tmp_path)) == len(read_manifest(corpus)) - 1


def test_the_rate_warms_up_and_decays():
    rates = [scheduled_rate(TINY.learning_rate, share) for share in (0, WARM_UP, 0.5, 1.0, 1.2)]
    assert rates[0] < rates[1] == TINY.learning_rate > rates[2] > rates[3]
    assert rates[3] == pytest.approx(TINY.learning_rate * LAST_RATE) == rates[4]
