"""The network: FFT magnitude frames -> score, weight and speech probability of every frame."""

import keras
from keras import KerasTensor, layers, ops

from aqscore.causes import CAUSES
from aqscore.model.features import SPEC
from aqscore.model.silence import SILENT_WEIGHT
from aqscore.scale import HIGHEST, LOWEST
from training.bands import BANDS
from training.network.blocks import (
    LOG_FLOOR,
    USED_BINS,
    States,
    convolution,
    count_steps,
    dense_over,
    feature_maps,
    log_magnitudes,
    masked,
    normalised,
    recording_context,
    recurrence,
    scaled,
    used_bands,
    with_band_matrix,
)
from training.network.config import Config

STRETCH = 0.3  # the sigmoid reaches this far beyond both ends: half of all labels lie where it would be flat
WORST_MOS, BEST_MOS = 1.0, 5.0  # the scale of listeners (ITU-T P.800, ACR)
WEIGHT_SPAN = 1.5  # a speech frame weighs between exp(-1.5) and exp(1.5): no few frames decide alone
LOUDNESS_EXPONENT = 0.46  # of magnitude: Zwicker's intensity^0.23, as in PESQ (ITU-T P.862, 10.2.7)


def build(config: Config) -> keras.Model:
    """The network as it is exported.

    Input ``frames`` (batch, frames, 257) float32, as aqscore.model.features makes them; any number of
    frames from 1. Outputs, a dict of (batch, frames) float32: ``score`` 1.04 to 4.64, ``weight``
    above 0, ``speech`` 0 to 1, which FrameScores.overall (aqscore.model.pooling) pools; ``mos`` 1 to 5;
    and of (batch, frames, causes): ``causes``, the probability of each of aqscore.causes.CAUSES, and
    ``costs``, the MOS-LQO that it costs alone where it is present.
    Built from Keras's own layers only, so that the saved file loads without this module.
    """
    frames = keras.Input((None, SPEC.bins), name="frames")
    outputs = _heads(config, *_trunk(config, frames, None, "float32"))
    # Clipped in the exported network only: a clipped score has no gradient.
    outputs["score"] = ops.clip(outputs["score"], LOWEST, HIGHEST)
    return with_band_matrix(keras.Model(frames, outputs, name="aqscore"))


def build_for_training(config: Config, precision: str = "float32") -> keras.Model:
    """The same layers with a second input ``mask`` (batch, frames) bool, False where a batch is padded.

    Padding changes nothing: a clip's frames get what ``build`` gives for the clip alone, except for
    scores up to 0.3 beyond the scale, which ``build`` clips. One more output, ``clean``
    (batch, frames, 48), estimates the log band magnitudes of the clean reference: an auxiliary task that
    keeps the trunk from memorising the training noises. ``precision`` is the convolutions' dtype policy;
    the weights are float32 under either.
    """
    frames = keras.Input((None, SPEC.bins), name="frames")
    mask = keras.Input((None,), dtype="bool", name="mask")
    states, positions = _trunk(config, frames, mask, precision)
    outputs = _heads(config, states, positions)
    outputs["clean"] = _clean_bands(states, frames, positions)
    return with_band_matrix(keras.Model([frames, mask], outputs, name="aqscore_training"))


def _trunk(
    config: Config, frames: KerasTensor, mask: KerasTensor | None, precision: str
) -> tuple[States, KerasTensor]:
    """Returns the hidden states, and for each frame the index of its fast state, (frames,) int32."""
    used = frames[:, :, :USED_BINS]
    bands = layers.Dense(used_bands().shape[1], use_bias=False, trainable=False, name="bands")(used)
    logarithms = ops.log(bands + LOG_FLOOR)
    compressed = [scaled(logarithms), ops.exp(LOUDNESS_EXPONENT * logarithms)]
    fine = layers.Dense(config.fine, name="fine")(log_magnitudes(used))
    hidden = layers.Concatenate(name="compressed")([*compressed, fine])
    # Masked, so that the convolutions read zeros after a clip's end whether the batch goes on or not.
    halved = None if mask is None else mask[:, ::2]
    hidden = convolution(config, masked(hidden, mask), width=5, precision=precision, name="front")
    maps = feature_maps(config, ops.stack(compressed, axis=-1), mask, halved, precision)
    hidden = layers.Dense(config.channels, name="joined")(layers.Concatenate(name="both")([hidden, maps]))
    hidden = normalised(config, hidden, name="joined")
    # The recurrence runs at half that rate, 64 ms, for half the cost; the heads read both rates.
    slow = convolution(config, masked(hidden, halved), width=3, precision=precision, name="quarter")
    quartered = None if mask is None else mask[:, ::4]
    slow = recurrence(config, slow, quartered)
    return States(hidden, slow, recording_context(slow, quartered)), count_steps(frames) // 2


def _heads(config: Config, states: States, positions: KerasTensor) -> dict[str, KerasTensor]:
    described = States(ops.relu(dense_over(states, config.described, "described")))
    states = States(ops.relu(dense_over(states, config.shared, "shared")))

    def head(name: str) -> KerasTensor:
        return ops.take(dense_over(states, 1, name)[:, :, 0], positions, axis=1)

    def described_head(width: int, name: str) -> KerasTensor:
        return ops.take(ops.sigmoid(dense_over(described, width, name)), positions, axis=1)

    span = HIGHEST - LOWEST + 2 * STRETCH
    score = LOWEST - STRETCH + span * ops.sigmoid(head("score_head"))
    speech = ops.sigmoid(head("speech_head"))
    factor = ops.exp(WEIGHT_SPAN * ops.tanh(head("weight_head") / WEIGHT_SPAN))
    # Squared, because ten seconds of "1 % speech" must not outweigh five seconds of speech. No gradient,
    # because the overall error must not teach the head to call good frames speech.
    weight = ops.square(ops.stop_gradient(speech)) * factor + SILENT_WEIGHT
    return {
        "score": score,
        "weight": weight,
        "speech": speech,
        "mos": WORST_MOS + (BEST_MOS - WORST_MOS) * described_head(1, "mos_head")[:, :, 0],
        "causes": described_head(len(CAUSES), "cause_head"),
        "costs": (HIGHEST - LOWEST) * described_head(len(CAUSES), "cost_head"),
    }


def _clean_bands(states: States, frames: KerasTensor, positions: KerasTensor) -> KerasTensor:
    """(batch, frames, 48): every fast state gives the bands of both its frames; each frame takes its own."""
    pairs = ops.take(dense_over(states, 2 * BANDS, "clean_head"), positions, axis=1)
    is_second = ops.expand_dims(count_steps(frames) > 2 * positions, -1)
    return ops.where(is_second, pairs[:, :, BANDS:], pairs[:, :, :BANDS])
