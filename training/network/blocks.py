"""Building blocks of the network: masking, convolutions, the recurrence, the recording's context."""

from typing import NamedTuple

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from training.bands import band_matrix
from training.network.config import Config

USED_BINS = 230  # up to 7.2 kHz: PESQ-WB ignores what is above, and there resampling filters differ
LOG_FLOOR = 3e-4  # 70 dB under the level around: about where 16 bits end in a recording of usual level


class States(NamedTuple):
    """Hidden states at both rates, each (batch, steps, width)."""

    fast: KerasTensor  # a step every second frame, 32 ms
    slow: KerasTensor | None = None  # half as many steps, 64 ms
    context: KerasTensor | None = None  # one step for the whole recording


def count_steps(values: KerasTensor) -> KerasTensor:
    """(steps,) int32: 0, 1, 2 and so on, one for each step of ``values`` (batch, steps, width)."""
    return ops.cumsum(ops.ones_like(values[0, :, 0], dtype="int32"), axis=0) - 1


def used_bands() -> np.ndarray:
    """(230, n) float32: the columns of the band matrix that need no bin above ``USED_BINS``."""
    matrix = band_matrix()
    return matrix[:USED_BINS, ~matrix[USED_BINS:].any(axis=0)]


def log_magnitudes(magnitudes: KerasTensor) -> KerasTensor:
    """Log magnitudes, scaled to lie within about -1.7 and 2."""
    return scaled(ops.log(magnitudes + LOG_FLOOR))


def scaled(logarithms: KerasTensor) -> KerasTensor:
    """Natural logarithms of magnitudes, scaled for the layers that read them."""
    return logarithms / 3.0 + 1.0


def masked(values: KerasTensor, mask: KerasTensor | None) -> KerasTensor:
    """(batch, steps, ...) with zeros where the batch is padded; unchanged without a mask."""
    if mask is None:
        return values
    others = (None,) * (len(values.shape) - 2)
    return values * ops.cast(mask, values.dtype)[(slice(None), slice(None), *others)]


def convolution(config: Config, hidden: KerasTensor, width: int, precision: str, name: str) -> KerasTensor:
    """(batch, steps, n) -> (batch, half the steps, channels): a convolution over time.

    Padded explicitly: "same" would shift by a frame between even and odd lengths.
    """
    hidden = layers.ZeroPadding1D(width // 2, dtype=precision, name=f"{name}_padding")(hidden)
    hidden = layers.Conv1D(config.channels, width, strides=2, dtype=precision, name=f"{name}_convolution")(
        hidden
    )
    return normalised(config, hidden, name)


def normalised(config: Config, hidden: KerasTensor, name: str) -> KerasTensor:
    """Layer normalisation, rectifier and dropout."""
    hidden = layers.LayerNormalization(name=f"{name}_norm")(hidden)
    return layers.Dropout(config.dropout, name=f"{name}_dropout")(ops.relu(hidden))


def feature_maps(
    config: Config, image: KerasTensor, mask: KerasTensor | None, halved: KerasTensor | None, precision: str
) -> KerasTensor:
    """(batch, frames, bands, 2) -> (batch, half the frames, n): convolutions over time and bands.

    They learn once what looks alike in any band and any voice. Without a normalisation between them their
    activations died out in training (training/network/EXPERIMENTS.md).
    """
    for number, channels in enumerate(config.maps, start=1):
        first, name = number == 1, f"map_{number}"
        image = masked(image, mask if first else halved)
        image = layers.ZeroPadding2D((2 if first else 1, 1), dtype=precision, name=f"{name}_padding")(image)
        image = layers.Conv2D(
            channels,
            (5, 3) if first else 3,
            strides=(2, 1) if first else (1, 2),
            kernel_initializer="he_normal",
            dtype=precision,
            name=name,
        )(image)
        if first:  # its input is scaled, and a normalisation here would take a fifth of the training's time
            image = layers.LeakyReLU(0.1, dtype=precision, name=f"{name}_relu")(image)
        else:
            image = ops.relu(layers.LayerNormalization(dtype=precision, name=f"{name}_norm")(image))
    return layers.Reshape((-1, image.shape[2] * image.shape[3]), dtype=precision, name="maps")(image)


def recurrence(config: Config, hidden: KerasTensor, mask: KerasTensor | None) -> KerasTensor:
    """(batch, steps, n) -> (batch, steps, 2 x units): the bidirectional LSTM."""
    lstm = layers.LSTM(config.units, return_sequences=True)
    hidden = layers.Bidirectional(lstm, name="bilstm_1")(hidden, mask=mask)
    return layers.Dropout(config.dropout, name="bilstm_1_dropout")(hidden)


def recording_context(hidden: KerasTensor, mask: KerasTensor | None) -> KerasTensor:
    """(batch, steps, n) -> (batch, 1, n): the mean over the recording, by a learned weight of each step.

    A frame's score depends on the whole recording: its noise floor, its reverberation, its bandwidth.
    """
    weight = masked(ops.sigmoid(layers.Dense(1, name="context_weight")(hidden)), mask)
    return ops.sum(weight * hidden, axis=1, keepdims=True) / ops.sum(weight, axis=1, keepdims=True)


def dense_over(states: States, width: int, name: str) -> KerasTensor:
    """(batch, fast steps, width): a dense layer over all states, each multiplied at its own rate."""
    summed = layers.Dense(width, name=name)(states.fast)
    if states.slow is not None:
        slow = layers.Dense(width, use_bias=False, name=f"{name}_slow")(states.slow)
        summed += ops.take(slow, count_steps(states.fast) // 2, axis=1)
    if states.context is not None:
        summed += layers.Dense(width, use_bias=False, name=f"{name}_context")(states.context)
    return summed


def with_band_matrix(model: keras.Model) -> keras.Model:
    """Sets the fixed band matrix; as an initialiser the saved configuration would spell it out."""
    model.get_layer("bands").set_weights([used_bands()])
    return model
