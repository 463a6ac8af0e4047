"""The network and its losses: the shipped shapes, ranges, padding, and the losses by hand."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from aqscore.causes import CAUSES
from aqscore.config import ScorerConfig
from aqscore.model.pooling import FrameScores
from tests.unit.training.tiny_corpus import TINY
from training.network.blocks import used_bands
from training.network.config import Config
from training.network.losses import (
    ABSENT_COST,
    PRESENT_COST,
    cause_loss,
    cost_loss,
    frame_loss,
    losses,
    overall_mos,
    overall_score,
    speech_loss,
    utterance_loss,
)
from training.network.model import build, build_for_training
from training.network.weights import average_with_start, exported, round_weights, warm_start

# TensorFlow 2.21 and Keras 3.15 use what NumPy 2.5 and Python 3.13 deprecate.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning:keras")


def batch_of(lengths: list[int], padded_to: int, seed: int = 0) -> dict:
    """Random clips of those lengths in one padded batch; padding holds arbitrary values on purpose."""
    generator = np.random.default_rng(seed)
    size = len(lengths)
    mask = np.arange(padded_to) < np.array(lengths)[:, None]
    real = np.random.default_rng(1)
    batch = {
        "frames": np.full((size, padded_to, 257), 7.0),
        "frame_scores": np.full((size, padded_to), np.nan),
        "speech": generator.random((size, padded_to)).round(),
        "reference": generator.random((size, padded_to, 48)),
        "overall": real.uniform(1.04, 4.64, size),
        "mos": real.uniform(1, 5, size),
        "costs": generator.uniform(0, 3, (size, padded_to, len(CAUSES))),
    }
    for row, length in enumerate(lengths):
        batch["frames"][row, :length] = real.random((length, 257))
        batch["frame_scores"][row, :length] = real.uniform(1.04, 4.64, length)
        batch["speech"][row, :length] = real.random(length).round()
        batch["reference"][row, :length] = real.random((length, 48))
        costs = real.uniform(0, 1.5, (length, len(CAUSES)))
        batch["costs"][row, :length] = np.where(real.random(costs.shape) < 0.3, np.nan, costs)
    return {name: tf.constant(value, tf.float32) for name, value in batch.items()} | {
        "mask": tf.constant(mask)
    }


@pytest.fixture(scope="module")
def shipped() -> keras.Model:
    return keras.models.load_model(ScorerConfig.from_env().model_dir / "model.keras", compile=False)


@pytest.fixture(scope="module")
def network():
    return Config(), build_for_training(Config())


def test_the_default_configuration_is_the_shipped_network(shipped):
    info = json.loads((ScorerConfig.from_env().model_dir / "model.json").read_text())
    expected = Config().as_dict()
    if "warm_start_sha256" in info["training"]:  # at a lower rate (training/network/EXPERIMENTS.md)
        expected["learning_rate"] = min(info["training"]["config"]["learning_rate"], 1e-3)
    assert expected == info["training"]["config"]
    built = build(Config())
    assert built.count_params() == shipped.count_params() == info["parameters"] == 604_641
    shapes, expected = (
        {layer.name: [weights.shape for weights in layer.weights] for layer in model.layers if layer.weights}
        for model in (built, shipped)
    )
    assert shapes == expected
    frames = np.random.default_rng(0).random((1, 30, 257)).astype(np.float32)
    outputs = exported(Config(), shipped)(frames, training=False)
    for name, values in shipped(frames, training=False).items():
        np.testing.assert_allclose(outputs[name], values, atol=1e-6)


@pytest.mark.parametrize("length", [1, 2, 3, 8, 21])
def test_outputs_have_the_frames_shape_and_lie_in_range(network, length):
    config, trained = network
    frames = np.random.default_rng(0).random((2, length, 257)).astype(np.float32) * 3
    outputs = exported(config, trained)(frames, training=False)
    assert set(outputs) == set(FrameScores._fields)
    for name, values in outputs.items():
        assert values.shape == ((2, length, len(CAUSES)) if name in ("causes", "costs") else (2, length))
    assert np.all((outputs["score"] >= 1.04) & (outputs["score"] <= 4.64))
    assert np.all(outputs["weight"] > 0)
    for name in ("speech", "causes"):
        assert np.all((outputs[name] >= 0) & (outputs[name] <= 1))
    assert np.all((outputs["mos"] >= 1) & (outputs["mos"] <= 5))
    assert np.all((outputs["costs"] >= 0) & (outputs["costs"] <= 3.6))


@pytest.mark.parametrize("length", [20, 21])
def test_a_padded_clip_gets_what_it_gets_alone(network, length):
    config, trained = network
    batch = batch_of([length, 33], padded_to=40)
    padded = trained([batch["frames"], batch["mask"]], training=False)
    alone = exported(config, trained)(batch["frames"][:1, :length], training=False)
    padded["score"] = np.clip(padded["score"], 1.04, 4.64)
    for name, values in alone.items():
        np.testing.assert_allclose(padded[name][0, :length], values[0], atol=1e-5)


def test_padding_does_not_change_the_loss(network):
    config, trained = network
    terms = []
    for padded_to in (33, 50):
        batch = batch_of([21, 33], padded_to, seed=padded_to)
        outputs = trained([batch["frames"], batch["mask"]], training=False)
        terms.append({name: float(value) for name, value in losses(config, outputs, batch).items()})
    assert terms[0] == pytest.approx(terms[1], rel=1e-5)


def test_convolutions_in_half_precision_give_nearly_the_same_scores():
    config = Config()
    half, whole = build_for_training(config, "mixed_bfloat16"), build_for_training(config)
    whole.set_weights(half.get_weights())
    batch = batch_of([33, 30], padded_to=33)
    scores = [net([batch["frames"], batch["mask"]], training=False)["score"] for net in (half, whole)]
    np.testing.assert_allclose(*scores, atol=0.05)


def test_a_warm_start_gives_the_outputs_of_its_source(network):
    config, trained = network
    started = build_for_training(config)
    warm_start(started, exported(config, trained))
    frames = np.random.default_rng(0).random((1, 20, 257)).astype(np.float32)
    found, expected = (exported(config, each)(frames, training=False) for each in (started, trained))
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-6)


def test_recordings_of_a_batch_get_the_scores_of_each_alone():
    keras.utils.set_random_seed(0)
    network = build(Config())
    frames = np.random.default_rng(0).random((3, 21, 257)).astype(np.float32)
    together = network(frames, training=False)
    for row in range(3):
        alone = network(frames[row : row + 1], training=False)
        for name, values in alone.items():
            np.testing.assert_allclose(together[name][row], values[0], atol=1e-5)


def test_an_average_with_the_start_lies_between_both():
    start, trained = build(TINY), build(TINY)
    before = {layer.name: layer.get_weights() for layer in trained.layers}
    average_with_start(trained, start, 0.25)
    old = start.get_layer("shared").get_weights()[0]
    expected = 0.25 * old + 0.75 * before["shared"][0]
    np.testing.assert_allclose(trained.get_layer("shared").get_weights()[0], expected, atol=1e-6)
    assert not np.array_equal(expected, before["shared"][0])
    np.testing.assert_array_equal(trained.get_layer("bands").get_weights()[0], before["bands"][0])


def test_a_warm_start_needs_the_same_sizes():
    with pytest.raises(ValueError, match="Layer bilstm_1"):
        warm_start(build(TINY), build(replace(TINY, units=TINY.units + 1)))
    assert np.array_equal(build(TINY).get_layer("bands").get_weights()[0], used_bands())


def served(**outputs) -> FrameScores:
    """Frames with these outputs, and zeros for the others."""
    count = len(next(iter(outputs.values())))
    zeros = dict.fromkeys(FrameScores._fields, np.zeros(count, np.float32))
    return FrameScores(**zeros | outputs)


@pytest.mark.parametrize("power", [1.0, 3.0])
def test_a_recording_is_scored_in_training_as_it_is_served(power):
    generator = np.random.default_rng(3)
    score = generator.uniform(1.04, 4.64, (1, 50)).astype(np.float32)
    weight = generator.uniform(0.1, 3, (1, 50)).astype(np.float32)
    mask = np.arange(50)[None] < 40
    served_score = served(score=score[0, :40], weight=weight[0, :40]).overall(power)
    assert overall_score(score, weight, mask, power).numpy() == pytest.approx([served_score], abs=1e-5)


def test_a_recordings_mos_is_pooled_in_training_as_it_is_served():
    generator = np.random.default_rng(3)
    mos = generator.uniform(1, 5, (1, 50)).astype(np.float32)
    speech = generator.random((1, 50)).astype(np.float32)
    mask = np.arange(50)[None] < 40
    outputs = {"mos": tf.constant(mos), "speech": tf.constant(speech)}
    served_mos = served(mos=mos[0, :40], speech=speech[0, :40]).overall_mos()
    assert overall_mos(outputs, tf.constant(mask)).numpy() == pytest.approx([served_mos], abs=1e-5)


def test_a_perfect_recording_has_a_gradient_and_it_is_finite():
    score = tf.Variable([[4.64, 4.63, 4.9]])
    with tf.GradientTape() as tape:
        overall = overall_score(score, tf.ones((1, 3)), tf.constant([[True] * 3]), 3.0)
    assert np.isfinite(tape.gradient(overall, score).numpy()).all()


def test_losses_are_squared_errors_of_the_recordings_and_of_their_frames():
    batch = batch_of([3, 5], padded_to=6)
    score = np.random.default_rng(2).uniform(1.04, 4.64, (2, 6)).astype(np.float32)
    means = [score[0, :3].mean(), score[1, :5].mean()]
    overall = overall_score(score, np.ones((2, 6), np.float32), batch["mask"], 1.0)
    np.testing.assert_allclose(overall, means, rtol=1e-6)
    expected = np.mean((np.array(means) - batch["overall"].numpy()) ** 2)
    np.testing.assert_allclose(utterance_loss(overall, batch["overall"]), expected, rtol=1e-5)
    labels = batch["frame_scores"].numpy()
    by_hand = [np.mean((score[row, :n] - labels[row, :n]) ** 2) for row, n in enumerate((3, 5))]
    np.testing.assert_allclose(frame_loss(score, batch), np.mean(by_hand), rtol=1e-5)


def test_clips_without_speech_enter_the_speech_loss_alone():
    batch = batch_of([4, 4], padded_to=4)
    known = {name: values[:1] for name, values in batch.items()}
    batch["overall"] = tf.constant([batch["overall"][0].numpy(), np.nan])
    score = tf.constant(np.random.default_rng(3).uniform(1.04, 4.64, (2, 4)), tf.float32)
    np.testing.assert_allclose(frame_loss(score, batch), frame_loss(score[:1], known), rtol=1e-6)
    overall = tf.reduce_mean(score, axis=1)
    np.testing.assert_allclose(
        utterance_loss(overall, batch["overall"]), utterance_loss(overall[:1], known["overall"])
    )
    probability = tf.constant([[0.9] * 4, [0.2] * 4])
    speech = batch["speech"].numpy()
    by_hand = -np.mean(speech * np.log(probability) + (1 - speech) * np.log(1 - probability))
    np.testing.assert_allclose(speech_loss(probability, batch["speech"], batch["mask"]), by_hand, rtol=1e-5)


def test_unlabelled_recordings_enter_the_mos_alone():
    batch = batch_of([6, 6], padded_to=6)
    network = build_for_training(TINY)
    known = {name: values[:1] for name, values in batch.items()}
    for name in ("overall", "frame_scores", "costs", "speech"):
        unknown = np.full_like(batch[name][1:], np.nan)
        batch[name] = tf.concat([batch[name][:1], unknown], axis=0)
    both, first = (
        losses(TINY, network([each["frames"], each["mask"]], training=False), each) for each in (batch, known)
    )
    for name in ("utterance", "frames", "speech", "clean", "causes", "costs"):
        np.testing.assert_allclose(both[name], first[name], rtol=1e-5, err_msg=name)
    assert abs(float(both["mos"]) - float(first["mos"])) > 1e-3


def test_gradients_stay_finite_without_any_scored_clip():
    config = Config()
    trained = build_for_training(config)
    unknown = {name: tf.fill(batch_of([4, 5], 6)[name].shape, np.nan) for name in ("overall", "mos", "costs")}
    batch = batch_of([4, 5], padded_to=6) | unknown
    with tf.GradientTape() as tape:
        loss = losses(config, trained([batch["frames"], batch["mask"]], training=True), batch)["loss"]
    gradients = [g for g in tape.gradient(loss, trained.trainable_variables) if g is not None]
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def known_costs(batch: dict) -> np.ndarray:
    """(B, T, causes) whether the frame is no padding, holds speech and has a known cost."""
    spoken = batch["mask"].numpy() & (batch["speech"].numpy() > 0.5)
    return spoken[:, :, None] & np.isfinite(batch["costs"])


def test_losses_of_causes_and_costs_are_those_by_hand():
    batch = batch_of([7, 9], padded_to=11)
    known, costs = known_costs(batch), batch["costs"].numpy()
    predicted = np.random.default_rng(2).uniform(0.05, 0.95, costs.shape).astype(np.float32)
    target = np.clip((costs - ABSENT_COST) / (PRESENT_COST - ABSENT_COST), 0, 1)
    entropy = -target * np.log(predicted) - (1 - target) * np.log(1 - predicted)
    frames = np.count_nonzero(known.any(axis=2))
    assert 0 < frames < 16
    np.testing.assert_allclose(cause_loss(predicted, batch), entropy[known].sum() / frames, rtol=1e-5)
    present = known & (costs >= ABSENT_COST)
    by_hand = np.mean((predicted - costs)[present] ** 2)
    np.testing.assert_allclose(cost_loss(predicted, batch), by_hand, rtol=1e-5)


@pytest.mark.parametrize("loss", [cause_loss, cost_loss])
def test_costs_that_are_unknown_padding_or_without_speech_have_no_part(loss):
    batch = batch_of([7, 9], padded_to=11)
    known = known_costs(batch)
    predicted = tf.Variable(np.random.default_rng(2).uniform(0.05, 0.95, known.shape), dtype=tf.float32)
    with tf.GradientTape() as tape:
        value = loss(predicted, batch)
    gradient = tape.gradient(value, predicted).numpy()
    has_part = known & (batch["costs"].numpy() >= ABSENT_COST) if loss is cost_loss else known
    assert np.isfinite(gradient).all()
    np.testing.assert_array_equal(gradient != 0, has_part)
    spoken = batch["mask"].numpy() & (batch["speech"].numpy() > 0.5)
    for other in (0.0, 2.0, np.nan):
        costs = np.where(spoken[:, :, None], batch["costs"], other)
        changed = batch | {"costs": tf.constant(costs, tf.float32)}
        np.testing.assert_allclose(loss(predicted, changed), value, rtol=1e-6)


def test_clips_without_a_teachers_score_have_no_part_in_the_mos():
    batch = batch_of([4, 5, 6], padded_to=7)
    batch["mos"] = tf.constant([3.0, np.nan, 2.0])
    mos = tf.Variable(np.random.default_rng(2).uniform(1, 5, (3, 7)), dtype=tf.float32)
    speech = tf.Variable(np.random.default_rng(3).uniform(0.1, 1, (3, 7)), dtype=tf.float32)
    with tf.GradientTape() as tape:
        overall = overall_mos({"mos": mos, "speech": speech}, batch["mask"])
        value = utterance_loss(overall, batch["mos"])
    by_hand = [(overall[0] - 3.0) ** 2, (overall[2] - 2.0) ** 2]
    np.testing.assert_allclose(value, np.mean(by_hand), rtol=1e-5)
    gradient, of_speech = tape.gradient(value, [mos, speech])
    assert of_speech is None, "the MOS must not teach the head of speech"
    np.testing.assert_array_equal(
        gradient.numpy() != 0, batch["mask"].numpy() & np.array([True, False, True])[:, None]
    )


@pytest.mark.parametrize(
    ("term", "head"), [("mos", "mos_head"), ("causes", "cause_head"), ("costs", "cost_head")]
)
def test_each_new_head_and_the_trunk_learn_from_their_own_labels(term, head):
    trained = build_for_training(TINY)
    batch = batch_of([12, 16], padded_to=16)
    heads = ("mos_head", "cause_head", "cost_head")
    below = ("described", "described_slow", "described_context", "fine")
    with tf.GradientTape() as tape:
        terms = losses(TINY, trained([batch["frames"], batch["mask"]], training=False), batch)
    kernels = [trained.get_layer(name).kernel for name in (*heads, *below)]
    gradients = dict(zip((*heads, *below), tape.gradient(terms[term], kernels), strict=True))
    for name, gradient in gradients.items():
        is_reached = gradient is not None and bool(np.any(gradient))
        assert is_reached == (name == head or name in below), name


def test_rounded_weights_have_few_bits_and_hardly_differ(rng):
    network = build(TINY)
    before = network.get_weights()
    frames = np.abs(rng.standard_normal((1, 40, 257))).astype(np.float32)
    scores = network(frames)
    round_weights(network, 10)
    assert any((old != new).any() for old, new in zip(before, network.get_weights(), strict=True))
    for layer in network.layers:
        for new in layer.get_weights() if layer.trainable_weights else []:
            assert not (new.view(np.uint32) & (2**13 - 1)).any()
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_allclose(new, old, rtol=2**-11)
    for name, values in network(frames).items():
        np.testing.assert_allclose(values, scores[name], atol=5e-3)
