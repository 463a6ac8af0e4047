"""The network and its losses: shapes and ranges, padding, and the published formula by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from aqscore.model.pooling import FrameScores
from training.network.losses import frame_loss, losses, overall_score, speech_loss, utterance_loss
from training.network.model import CONFIGS, build, build_for_training, heard_bands
from training.network.weights import begin_from, exported

# TensorFlow 2.21 and Keras 3.15 speak to NumPy 2.5 and Python 3.13 in words that both are giving up.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning:keras")


def batch_of(lengths: list[int], padded_to: int, seed: int = 0) -> dict:
    """Random clips of those lengths in one padded batch; padding holds rubbish on purpose."""
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
    }
    for row, length in enumerate(lengths):
        batch["frames"][row, :length] = real.random((length, 257))
        batch["frame_scores"][row, :length] = real.uniform(1.04, 4.64, length)
        batch["speech"][row, :length] = real.random(length).round()
        batch["reference"][row, :length] = real.random((length, 48))
    return {name: tf.constant(value, tf.float32) for name, value in batch.items()} | {
        "mask": tf.constant(mask)
    }


@pytest.fixture(scope="module", params=sorted(CONFIGS))
def network(request):
    return CONFIGS[request.param], build_for_training(CONFIGS[request.param])


@pytest.mark.parametrize("length", [1, 2, 3, 8, 21])
def test_outputs_have_the_frames_shape_and_lie_in_range(network, length):
    config, trained = network
    frames = np.random.default_rng(0).random((2, length, 257)).astype(np.float32) * 3
    outputs = exported(config, trained)(frames, training=False)
    assert set(outputs) == {"score", "weight", "speech"}
    assert all(values.shape == (2, length) for values in outputs.values())
    assert np.all((outputs["score"] >= 1.04) & (outputs["score"] <= 4.64))
    assert np.all(outputs["weight"] > 0)
    assert np.all((outputs["speech"] >= 0) & (outputs["speech"] <= 1))


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


def test_the_convolutions_half_precision_is_no_other_network():
    config = CONFIGS["full"]
    half, whole = build_for_training(config, "mixed_bfloat16"), build_for_training(config)
    whole.set_weights(half.get_weights())
    batch = batch_of([33, 30], padded_to=33)
    scores = [net([batch["frames"], batch["mask"]], training=False)["score"] for net in (half, whole)]
    np.testing.assert_allclose(*scores, atol=0.05)


def test_a_network_that_begins_from_another_says_what_that_says(network):
    config, trained = network
    begun = build_for_training(config)
    begin_from(begun, exported(config, trained))
    frames = np.random.default_rng(0).random((1, 20, 257)).astype(np.float32)
    said, expected = (exported(config, each)(frames, training=False) for each in (begun, trained))
    for name, values in expected.items():
        np.testing.assert_allclose(said[name], values, atol=1e-6)


def test_recordings_of_a_batch_are_served_as_each_alone():
    keras.utils.set_random_seed(0)
    network = build(CONFIGS["full"])
    frames = np.random.default_rng(0).random((3, 21, 257)).astype(np.float32)
    together = network(frames, training=False)
    for row in range(3):
        alone = network(frames[row : row + 1], training=False)
        for name, values in alone.items():
            np.testing.assert_allclose(together[name][row], values[0], atol=1e-5)


def test_training_begins_from_a_network_as_it_is_shipped(tmp_path):
    keras.utils.set_random_seed(0)
    config, network = CONFIGS["full"], build(CONFIGS["full"])
    network.save(tmp_path / "model.keras")
    begun = build_for_training(config)
    begin_from(begun, keras.models.load_model(tmp_path / "model.keras", compile=False))
    frames = np.random.default_rng(0).random((1, 20, 257)).astype(np.float32)
    said, expected = (each(frames, training=False) for each in (exported(config, begun), network))
    for name, values in expected.items():
        np.testing.assert_allclose(said[name], values, atol=1e-6)
    np.testing.assert_array_equal(begun.get_layer("bands").get_weights()[0], heard_bands())


def test_a_network_does_not_begin_from_one_of_another_kind():
    with pytest.raises(ValueError, match="Layer bilstm_1"):
        begin_from(build(CONFIGS["full"]), build(CONFIGS["recipe"]))


def test_no_configuration_has_more_than_two_million_parameters(network):
    config, trained = network
    assert exported(config, trained).count_params() <= 2_000_000


@pytest.mark.parametrize("power", [1.0, 3.0])
def test_a_recording_is_scored_in_training_as_it_is_served(power):
    generator = np.random.default_rng(3)
    score = generator.uniform(1.04, 4.64, (1, 50)).astype(np.float32)
    weight = generator.uniform(0.1, 3, (1, 50)).astype(np.float32)
    mask = np.arange(50)[None] < 40
    served_score = FrameScores(score[0, :40], weight[0, :40], weight[0, :40]).overall(power)
    assert overall_score(score, weight, mask, power).numpy() == pytest.approx([served_score], abs=1e-5)


def test_a_perfect_recording_has_a_gradient_and_it_is_finite():
    score = tf.Variable([[4.64, 4.63, 4.9]])
    with tf.GradientTape() as tape:
        overall = overall_score(score, tf.ones((1, 3)), tf.constant([[True] * 3]), 3.0)
    assert np.isfinite(tape.gradient(overall, score).numpy()).all()


def test_losses_are_the_published_formula():
    batch = batch_of([3, 5], padded_to=6)
    score = np.random.default_rng(2).uniform(1.04, 4.64, (2, 6)).astype(np.float32)
    weight = np.ones((2, 6), np.float32)
    means = [score[0, :3].mean(), score[1, :5].mean()]
    overall = batch["overall"].numpy()
    np.testing.assert_allclose(overall_score(score, weight, batch["mask"], 1.0), means, rtol=1e-6)
    expected = np.mean((np.array(means) - overall) ** 2)
    np.testing.assert_allclose(
        utterance_loss(overall_score(score, weight, batch["mask"], 1.0), batch["overall"]),
        expected,
        rtol=1e-5,
    )
    by_hand = [
        10 ** (overall[row] - 4.5) * np.mean((score[row, :length] - overall[row]) ** 2)
        for row, length in enumerate((3, 5))
    ]
    np.testing.assert_allclose(frame_loss(CONFIGS["recipe"], score, batch), np.mean(by_hand), rtol=1e-5)


def test_labels_by_time_take_each_frames_own():
    batch = batch_of([3, 5], padded_to=6)
    score = np.random.default_rng(2).uniform(1.04, 4.64, (2, 6)).astype(np.float32)
    targets = batch["frame_scores"].numpy()
    by_hand = [0.5 * np.mean((score[row, :n] - targets[row, :n]) ** 2) for row, n in enumerate((3, 5))]
    np.testing.assert_allclose(frame_loss(CONFIGS["full"], score, batch), np.mean(by_hand), rtol=1e-5)


def test_clips_without_speech_enter_the_speech_loss_alone():
    batch = batch_of([4, 4], padded_to=4)
    known = {name: values[:1] for name, values in batch.items()}
    batch["overall"] = tf.constant([batch["overall"][0].numpy(), np.nan])
    score = tf.constant(np.random.default_rng(3).uniform(1.04, 4.64, (2, 4)), tf.float32)
    for config in CONFIGS.values():
        np.testing.assert_allclose(
            frame_loss(config, score, batch), frame_loss(config, score[:1], known), rtol=1e-6
        )
    overall = tf.reduce_mean(score, axis=1)
    np.testing.assert_allclose(
        utterance_loss(overall, batch["overall"]), utterance_loss(overall[:1], known["overall"])
    )
    probability = tf.constant([[0.9] * 4, [0.2] * 4])
    speech = batch["speech"].numpy()
    by_hand = -np.mean(speech * np.log(probability) + (1 - speech) * np.log(1 - probability))
    np.testing.assert_allclose(speech_loss(probability, batch["speech"], batch["mask"]), by_hand, rtol=1e-5)


def test_gradients_stay_finite_without_any_scored_clip():
    config = CONFIGS["full"]
    trained = build_for_training(config)
    batch = batch_of([4, 5], padded_to=6) | {"overall": tf.constant([np.nan, np.nan])}
    with tf.GradientTape() as tape:
        loss = losses(config, trained([batch["frames"], batch["mask"]], training=True), batch)["loss"]
    gradients = [g for g in tape.gradient(loss, trained.trainable_variables) if g is not None]
    assert all(np.isfinite(gradient).all() for gradient in gradients)
