"""Training on a handful of clips: it learns, stops, goes on, and refuses what can't be right."""

import json

import numpy as np
import pytest

from tests.unit.training.tiny_corpus import make_corpus
from training.network import train as training
from training.network.dataset import epoch_files, load_clip, read_manifest, training_batches
from training.network.model import Config, build
from training.network.train import Trainer, train

# TensorFlow 2.21 and Keras 3.15 speak to NumPy 2.5 and Python 3.13 in words that both are giving up.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning:keras")

SMALL = Config(
    "small",
    front=True,
    units=(12,),
    learned_weight=True,
    channels=12,
    maps=(2, 3),
    fine=8,
    denoise=0.1,
    schedule="cosine",
    learning_rate=5e-3,
    average_power=2.0,
)
# Without convolutions the graph is traced in half the time.
PLAIN = Config("plain", front=False, units=(8,), learned_weight=True, schedule="cosine", average_power=2.0)


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
def test_convolutions_train_in_bfloat16_only_where_the_cpu_knows_it(tmp_path, listed, expected):
    if listed:
        (tmp_path / "cpuinfo").write_text(listed)
    assert training.precision(tmp_path / "cpuinfo") == expected


def epoch_batches(corpus, clips, seed, epoch=0):
    return training_batches(epoch_files(corpus, clips, seed, epoch), seed, epoch)


def test_batches_hold_every_clip_once_and_mask_what_is_padded(corpus):
    lengths = []
    for batch in epoch_batches(corpus, clips=100, seed=3):
        assert batch["frames"].shape[1:] == (batch["mask"].shape[1], 257)
        assert np.isnan(batch["frame_scores"].numpy()[~batch["mask"].numpy()]).all()
        assert not batch["frames"].numpy()[~batch["mask"].numpy()].any()
        lengths.extend(np.count_nonzero(batch["mask"], axis=1))
    clips = [load_clip(path) for path in (corpus / "train").glob("*.npz")]
    assert len(lengths) == len(clips)
    assert sum(lengths) >= sum(len(clip["frames"]) for clip in clips)


def test_no_tuner_holds_up_the_end_of_an_epoch(corpus):
    assert epoch_batches(corpus, clips=6, seed=9).options().autotune.enabled is False


def test_the_same_seed_gives_the_same_batches(corpus):
    first, second = (list(epoch_batches(corpus, clips=6, seed=9)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one["frames"], other["frames"])
        np.testing.assert_array_equal(one["overall"], other["overall"])


def scores_heard(corpus, clips, epoch):
    batches = epoch_batches(corpus, clips, seed=2, epoch=epoch)
    return sorted(float(score) for batch in batches for score in batch["overall"])


def test_every_clip_is_heard_once_before_any_is_heard_twice(corpus):
    heard = {float(load_clip(path)["overall"]): 0 for path in (corpus / "train").glob("*.npz")}
    assert len(heard) == 12
    for epoch in range(12):
        for score in scores_heard(corpus, 5, epoch):
            heard[score] += 1
        assert max(heard.values()) - min(heard.values()) <= 1
    assert set(heard.values()) == {5}


def test_every_pass_over_the_clips_has_an_order_of_its_own(corpus):
    first, second = (
        [scores_heard(corpus, 4, epoch) for epoch in epochs] for epochs in ((0, 1, 2), (3, 4, 5))
    )
    assert sorted(sum(first, [])) == sorted(sum(second, []))
    assert sorted(first) != sorted(second)


def test_a_train_set_without_clips_says_so(tmp_path):
    with pytest.raises(ValueError, match="no clip, expected some"):
        epoch_files(tmp_path, clips=5, seed=1, epoch=0)


def test_it_learns_a_few_clips_by_heart(corpus):
    trainer = Trainer(SMALL, seed=0)
    batch = next(iter(epoch_batches(corpus, clips=12, seed=1)))
    errors = [float(trainer.step(batch)["utterance"]) for _ in range(120)]
    assert errors[-1] < 0.05 < errors[0]


def test_the_exported_weights_are_the_average_of_all_steps_and_later_ones_count_for_more(corpus):
    trainer = Trainer(PLAIN, seed=0)
    batch = next(iter(epoch_batches(corpus, clips=4, seed=1)))
    after = []
    for _ in range(5):
        trainer.step(batch)
        after.append([variable.numpy() for variable in trainer.network.trainable_variables])
    counts = [step * (step + 1) for step in range(1, 6)]  # what powers of 2 come to (Shamir and Zhang)
    for exported, *steps in zip(trainer.exported_weights(), *after, strict=True):
        assert np.ptp(steps, axis=0).max() > 1e-3
        np.testing.assert_allclose(exported, np.average(steps, axis=0, weights=counts), atol=1e-6)


def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(Trainer, "watch", lambda self, corpus: {})
    whole = train(corpus, tmp_path / "whole", PLAIN, 5, minutes=None, epochs=2)
    run_epoch = Trainer.run_epoch

    def stop_in_the_second(self, *arguments):
        if self.history:
            raise KeyboardInterrupt
        return run_epoch(self, *arguments)

    monkeypatch.setattr(Trainer, "run_epoch", stop_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        train(corpus, tmp_path / "stopped", PLAIN, 5, minutes=None, epochs=2)
    monkeypatch.setattr(Trainer, "run_epoch", run_epoch)
    resumed = train(corpus, tmp_path / "stopped", PLAIN, 5, minutes=None, epochs=2)
    assert [epoch["epoch"] for epoch in resumed] == [1, 2]
    assert [epoch["loss"] for epoch in resumed] == pytest.approx([epoch["loss"] for epoch in whole], rel=1e-3)
    assert {"network.keras", "run.json", "history.json", "curves.png"} <= {
        p.name for p in (tmp_path / "stopped").iterdir()
    }


def test_a_run_begins_from_a_given_model_and_says_so(corpus, tmp_path):
    first = tmp_path / "model.keras"
    build(PLAIN).save(first)
    begun, again = Trainer(PLAIN, 5, first), Trainer(PLAIN, 6, first)
    for one, other in zip(begun.network.weights, again.network.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    train(corpus, tmp_path / "run", PLAIN, 5, minutes=None, epochs=1, first=first)
    assert "from_sha256" in json.loads((tmp_path / "run" / "run.json").read_text())
    with pytest.raises(ValueError, match="another run"):
        train(corpus, tmp_path / "run", PLAIN, 5, minutes=None, epochs=1)


def test_a_folder_of_another_run_is_refused(corpus, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"seed": 1}))
    with pytest.raises(ValueError, match="another run"):
        train(corpus, tmp_path, SMALL, 5, minutes=None, epochs=1)


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"no manifest\.jsonl"):
        read_manifest(tmp_path)


def test_a_manifest_that_is_being_written_is_read_up_to_its_last_whole_line(corpus, tmp_path):
    text = (corpus / "manifest.jsonl").read_text()
    (tmp_path / "manifest.jsonl").write_text(text[:-20])
    assert len(read_manifest(tmp_path)) == len(read_manifest(corpus)) - 1


def test_the_rate_warms_up_and_decays():
    trainer = Trainer(SMALL, seed=0)
    rates = [trainer._rate(share) for share in (0, training.WARM_UP, 0.5, 1.0, 1.2)]
    assert rates[0] < rates[1] == SMALL.learning_rate > rates[2] > rates[3]
    assert rates[3] == pytest.approx(SMALL.learning_rate * training.LAST_RATE) == rates[4]
