"""The network: FFT magnitude frames -> score, weight and speech probability of every frame."""

from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from aqscore.model.features import SPEC
from aqscore.model.silence import SILENT_WEIGHT
from aqscore.scale import HIGHEST, LOWEST
from training.bands import band_matrix

STRETCH = 0.3  # how far the sigmoid reaches beyond both ends: half of all labels lie where it would be flat
HEARD_BINS = 230  # up to 7.2 kHz: PESQ-WB listens no higher, and there resampling filters differ
LOG_FLOOR = 3e-4  # 70 dB under the level around: about where 16 bits end in a recording of usual level
WEIGHT_SPAN = 1.5  # a speech frame weighs between exp(-1.5) and exp(1.5): no few frames decide alone


@dataclass(frozen=True)
class Config:
    """What is built and how it is trained. ``CONFIGS`` holds the named ones."""

    name: str
    front: bool  # bands and convolutions before the recurrence, which runs at 64 ms, instead of the 257 bins
    units: tuple[int, ...]  # of each BiLSTM and direction
    learned_weight: bool  # else every frame weighs the same
    channels: int = 0  # of the convolutions over time
    maps: tuple[int, ...] = ()  # of those over time and bands; each but the first halves the bands
    fine: int = 0  # width of the trained projection of the 257 log magnitudes, beside the bands
    context: bool = False  # every frame is also told a learned mean over the recording
    power: float = 1.0  # of the frames' distances from the best score, in their mean over the recording
    shared: int = 0  # width of a layer between the recurrence and the heads; 0: none
    dropout: float = 0.0
    denoise: float = 0.0  # weight of the auxiliary loss; 0 leaves the head out
    frame_labels: str = "copied"  # "copied": the clip's label at every frame; "by_time": each frame's own
    frame_weighting: str = "published"  # "published": 10^(PESQ - 4.5) a clip; "even": one weight for all
    schedule: str = "constant"  # "constant": RMSprop at its rate; "cosine": Muon, warm-up, then cosine decay
    learning_rate: float = 1e-3
    average_power: float = 0.0  # of a step's number, as its weights count in the exported mean; 0: the last

    def as_dict(self) -> dict:
        return asdict(self) | {"units": list(self.units), "maps": list(self.maps)}


_FULL = Config(
    "full",
    front=True,
    units=(192,),
    learned_weight=True,
    channels=128,
    maps=(16, 24, 32, 48),
    fine=64,
    context=True,
    power=3.0,
    shared=64,
    dropout=0.1,
    denoise=0.5,
    frame_labels="by_time",
    frame_weighting="even",
    schedule="cosine",
    learning_rate=2e-3,
    average_power=2.0,
)
CONFIGS = {
    config.name: config
    for config in (
        Config("recipe", front=False, units=(100,), learned_weight=False),
        _FULL,
        # Smaller, for time, and with more dropout, for new voices: served since model 1.6.0.
        replace(_FULL, name="beside", units=(128,), maps=(16, 24, 32, 32), dropout=0.15),
        replace(_FULL, name="full_copied", frame_labels="copied"),  # what labels by time are worth
    )
}


def build(config: Config) -> keras.Model:
    """The network as it is exported.

    Input ``frames`` (batch, frames, 257) float32, as aqscore.model.features makes them; any number of
    frames from 1. Outputs, a dict of (batch, frames) float32: ``score`` 1.04 to 4.64, ``weight``
    above 0, ``speech`` 0 to 1. The recording's score is aqscore.model.loading.FrameScores.overall of them.
    Built from Keras's own layers only, so that the saved file loads without this module.
    """
    frames = keras.Input((None, SPEC.bins), name="frames")
    outputs = _heads(config, *_trunk(config, frames, None, "float32"))
    # Only here: a clipped score would have no gradient to come back by.
    outputs["score"] = ops.clip(outputs["score"], LOWEST, HIGHEST)
    return _with_bands(keras.Model(frames, outputs, name=f"aqscore_{config.name}"))


def build_for_training(config: Config, precision: str = "float32") -> keras.Model:
    """The same layers with a second input ``mask`` (batch, frames) bool, False where a batch is padded.

    Padding changes nothing: what a clip's frames get is what ``build`` gives for the clip alone, but for
    scores that lie up to 0.3 beyond the scale, which ``build`` clips. With
    ``config.denoise`` there is one output more, ``clean`` (batch, frames, 48): the log band magnitudes
    of the clean reference, which keeps the trunk from learning the training noises by heart.
    ``precision`` is the convolutions' dtype policy; the weights are float32 under either.
    """
    frames = keras.Input((None, SPEC.bins), name="frames")
    mask = keras.Input((None,), dtype="bool", name="mask")
    states, positions = _trunk(config, frames, mask, precision)
    outputs = _heads(config, states, positions)
    if config.denoise:
        outputs["clean"] = _clean_bands(states, frames, positions)
    return _with_bands(keras.Model([frames, mask], outputs, name=f"aqscore_{config.name}_training"))


class States(NamedTuple):
    """What is known at each step, (batch, steps, n) each, step by step of the fastest."""

    fast: KerasTensor
    slow: KerasTensor | None = None  # half as many steps
    context: KerasTensor | None = None  # one step, of all


def _trunk(config: Config, frames, mask, precision: str) -> tuple[States, KerasTensor]:
    """Returns the hidden states, and for each frame which of the fast ones is its own.

    ``precision`` is the convolutions' dtype policy.
    """
    if not config.front:
        return States(_recurrence(config, frames, mask)), _counted(frames)
    heard = frames[:, :, :HEARD_BINS]
    count = heard_bands().shape[1]
    bands = layers.Dense(count, use_bias=False, trainable=False, name="bands")(heard)
    logarithms = ops.log(bands + LOG_FLOOR)
    # Zwicker's loudness grows with intensity^0.23; PESQ's own exponent (ITU-T P.862, 10.2.7).
    compressed = [_scaled(logarithms), ops.exp(0.46 * logarithms)]
    fine = layers.Dense(config.fine, name="fine")(log_magnitudes(heard))
    hidden = layers.Concatenate(name="compressed")([*compressed, fine])
    # A clip's end is zeros to the convolutions, whether the batch goes on or not.
    halved = None if mask is None else mask[:, ::2]
    hidden = _convolution(config, _cut(hidden, mask), width=5, precision=precision, name="front")
    maps = _maps(config, ops.stack(compressed, axis=-1), mask, halved, precision)
    hidden = layers.Dense(config.channels, name="joined")(layers.Concatenate(name="both")([hidden, maps]))
    hidden = _let_through(config, hidden, name="joined")
    # The recurrence runs at half the rate of the rest, 64 ms: half its cost, and faults are heard beside it.
    slow = _convolution(config, _cut(hidden, halved), width=3, precision=precision, name="quarter")
    quartered = None if mask is None else mask[:, ::4]
    slow = _recurrence(config, slow, quartered)
    context = _context(slow, quartered) if config.context else None
    return States(hidden, slow, context), _counted(frames) // 2


def _counted(values):
    """(frames,) int32: 0, 1, 2 and so on, one for each of the frames of ``values``."""
    return ops.cumsum(ops.ones_like(values[0, :, 0], dtype="int32"), axis=0) - 1


def heard_bands() -> np.ndarray:
    """(230, n) float32: the columns of the band matrix that need no bin above ``HEARD_BINS``."""
    matrix = band_matrix()
    return matrix[:HEARD_BINS, ~matrix[HEARD_BINS:].any(axis=0)]


def log_magnitudes(magnitudes):
    """Log magnitudes, scaled to lie within about -1.7 and 2."""
    return _scaled(ops.log(magnitudes + LOG_FLOOR))


def _scaled(logarithms):
    return logarithms / 3.0 + 1.0


def _cut(values, mask):
    """(batch, frames, ...) with zeros where the batch is padded."""
    if mask is None:
        return values
    others = (None,) * (len(values.shape) - 2)
    return values * ops.cast(mask, values.dtype)[(slice(None), slice(None), *others)]


def _convolution(config: Config, hidden, width: int, precision: str, name: str):
    """Over time, at half the rate.

    Padded by hand: "same" would shift by a frame between even and odd lengths.
    """
    hidden = layers.ZeroPadding1D(width // 2, dtype=precision, name=f"{name}_padding")(hidden)
    convolution = layers.Conv1D(
        config.channels, width, strides=2, dtype=precision, name=f"{name}_convolution"
    )
    hidden = convolution(hidden)
    return _let_through(config, hidden, name)


def _let_through(config: Config, hidden, name: str):
    hidden = layers.LayerNormalization(name=f"{name}_norm")(hidden)
    return layers.Dropout(config.dropout, name=f"{name}_dropout")(ops.relu(hidden))


def _maps(config: Config, image, mask, halved, precision: str):
    """(batch, frames, bands, 2) -> (batch, half the frames, n): convolutions over time and bands.

    What sounds alike in any band, or in any voice, is learned once. Without a normalisation between them
    they had died out in training (training/network/EXPERIMENTS.md, 13).
    """
    for number, channels in enumerate(config.maps, start=1):
        first, name = number == 1, f"map_{number}"
        image = _cut(image, mask if first else halved)
        image = layers.ZeroPadding2D((2 if first else 1, 1), dtype=precision, name=f"{name}_padding")(image)
        image = layers.Conv2D(
            channels,
            (5, 3) if first else 3,
            strides=(2, 1) if first else (1, 2),
            kernel_initializer="he_normal",
            dtype=precision,
            name=name,
        )(image)
        if first:  # the largest: it would take a fifth of the training's time, and its input is scaled
            image = layers.LeakyReLU(0.1, dtype=precision, name=f"{name}_relu")(image)
        else:
            image = ops.relu(layers.LayerNormalization(dtype=precision, name=f"{name}_norm")(image))
    return layers.Reshape((-1, image.shape[2] * image.shape[3]), dtype=precision, name="maps")(image)


def _recurrence(config: Config, hidden, mask):
    for number, units in enumerate(config.units, start=1):
        lstm = layers.LSTM(units, return_sequences=True)
        hidden = layers.Bidirectional(lstm, name=f"bilstm_{number}")(hidden, mask=mask)
        hidden = layers.Dropout(config.dropout, name=f"bilstm_{number}_dropout")(hidden)
    return hidden


def _context(hidden, mask):
    """(batch, frames, n) -> (batch, 1, n): their mean, each weighed as it was learned to be.

    What a frame is worth depends on how the whole was recorded: its floor, its room, its bandwidth.
    """
    weight = _cut(ops.sigmoid(layers.Dense(1, name="context_weight")(hidden)), mask)
    return ops.sum(weight * hidden, axis=1, keepdims=True) / ops.sum(weight, axis=1, keepdims=True)


def _dense(states: States, width: int, name: str):
    """(batch, steps, width): a dense layer over all states, each multiplied at the rate that it has."""
    summed = layers.Dense(width, name=name)(states.fast)
    if states.slow is not None:
        slow = layers.Dense(width, use_bias=False, name=f"{name}_slow")(states.slow)
        summed += ops.take(slow, _counted(states.fast) // 2, axis=1)
    if states.context is not None:
        summed += layers.Dense(width, use_bias=False, name=f"{name}_context")(states.context)
    return summed


def _heads(config: Config, states: States, positions) -> dict:
    if config.shared:
        states = States(ops.relu(_dense(states, config.shared, "shared")))

    def head(name: str):
        return ops.take(_dense(states, 1, name)[:, :, 0], positions, axis=1)

    span = HIGHEST - LOWEST + 2 * STRETCH
    score = LOWEST - STRETCH + span * ops.sigmoid(head("score_head"))
    speech = ops.sigmoid(head("speech_head"))
    if config.learned_weight:
        # Squared, because ten seconds of "1 % speech" must not outweigh five seconds of speech.
        factor = ops.exp(WEIGHT_SPAN * ops.tanh(head("weight_head") / WEIGHT_SPAN))
        # No gradient, because the overall error must not teach the head to call good frames speech.
        weight = ops.square(ops.stop_gradient(speech)) * factor + SILENT_WEIGHT
    else:
        weight = ops.ones_like(score)
    return {"score": score, "weight": weight, "speech": speech}


def _clean_bands(states: States, frames, positions):
    """From every fast state the bands of both its frames; each frame takes its own."""
    bands = band_matrix().shape[1]
    pairs = ops.take(_dense(states, 2 * bands, "clean_head"), positions, axis=1)
    is_second = ops.expand_dims(_counted(frames) > 2 * positions, -1)
    return ops.where(is_second, pairs[:, :, bands:], pairs[:, :, :bands])


def _with_bands(model: keras.Model) -> keras.Model:
    """Sets the fixed matrix; as an initialiser it would be spelt out in the saved file's configuration."""
    for layer in model.layers:
        if layer.name == "bands":
            layer.set_weights([heard_bands()])
    return model
