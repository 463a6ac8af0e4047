"""One gradient step and one prediction, on Keras's backend.

TensorFlow is for CPUs. JAX is for an accelerator: the environment variable ``KERAS_BACKEND=jax`` selects it
(https://keras.io/guides/writing_a_custom_training_loop_in_jax/). Only the gradient differs between them;
network, losses and optimiser are the same code.
"""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from aqscore.scale import HIGHEST, LOWEST
from training.network.config import Config
from training.network.dataset import BATCH_SPEC
from training.network.losses import losses, overall_score

FRAME_STEP, FEWEST_CLIPS = 512, 64  # JAX compiles the step for every shape, in half a minute on a GPU


class State:
    """All that a step changes: the network, its optimiser, the average of its weights, the steps' number."""

    def __init__(self, network: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
        self.network = network
        self.optimizer = optimizer
        self.optimizer.build(network.trainable_variables)
        self.average = [keras.Variable(value, trainable=False) for value in network.trainable_variables]
        self.steps = keras.Variable(0.0, trainable=False)

    @property
    def variables(self) -> list[keras.Variable]:
        return [*self.network.variables, *self.optimizer.variables, *self.average, self.steps]


Step = Callable[[dict], dict[str, float]]
Prediction = Callable[[dict], np.ndarray]


def compiled(config: Config, state: State) -> tuple[Step, Prediction]:
    """The step and the prediction for batches of training.network.dataset.

    The step changes ``state`` and returns the loss terms; the prediction is the (B,) scores of the
    recordings, as the exported network gives them. Raises ValueError for other backends than TensorFlow and
    JAX.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _in_tensorflow(config, state)
    if backend == "jax":
        return _in_jax(config, state)
    raise ValueError(f"Keras runs on {backend}, expected tensorflow or jax: set KERAS_BACKEND.")


def _in_tensorflow(config: Config, state: State) -> tuple[Step, Prediction]:
    import tensorflow as tf

    @tf.function(input_signature=[BATCH_SPEC])
    def step(batch: dict) -> dict:
        with tf.GradientTape() as tape:
            outputs = state.network([batch["frames"], batch["mask"]], training=True)
            terms = losses(config, outputs, batch)
        variables = state.network.trainable_variables
        state.optimizer.apply_gradients(zip(tape.gradient(terms["loss"], variables), variables, strict=True))
        state.steps.assign_add(1.0)
        share = _share(config, state.steps)
        for average, variable in zip(state.average, variables, strict=True):
            average.assign_add(share * (variable.value - average))
        return terms

    @tf.function(input_signature=[BATCH_SPEC])
    def predict(batch: dict) -> tf.Tensor:
        return _scores(config, state.network([batch["frames"], batch["mask"]], training=False), batch)

    return (
        lambda batch: {name: float(value) for name, value in step(batch).items()},
        lambda batch: predict(batch).numpy(),
    )


def _in_jax(config: Config, state: State) -> tuple[Step, Prediction]:
    import jax

    network, optimizer = state.network, state.optimizer

    def loss(trainable: list, others: list, batch: dict) -> tuple:
        outputs, others = network.stateless_call(
            trainable, others, [batch["frames"], batch["mask"]], training=True
        )
        terms = losses(config, outputs, batch)
        return terms["loss"], (terms, others)

    @jax.jit
    def step(trainable: list, others: list, optimized: list, average: list, steps: jax.Array, batch: dict):
        (_, (terms, others)), gradients = jax.value_and_grad(loss, has_aux=True)(trainable, others, batch)
        trainable, optimized = optimizer.stateless_apply(optimized, gradients, trainable)
        steps = steps + 1.0
        share = _share(config, steps)
        average = [old + share * (new - old) for old, new in zip(average, trainable, strict=True)]
        return terms, (trainable, others, optimized, average, steps)

    @jax.jit
    def predict(trainable: list, others: list, batch: dict) -> jax.Array:
        outputs, _ = network.stateless_call(
            trainable, others, [batch["frames"], batch["mask"]], training=False
        )
        return _scores(config, outputs, batch)

    def stepped(batch: dict) -> dict[str, float]:
        groups = (
            network.trainable_variables, network.non_trainable_variables, optimizer.variables, state.average
        )  # fmt: skip
        values = [[variable.value for variable in group] for group in groups]
        terms, (*changed, steps) = step(*values, state.steps.value, of_fixed_shape(batch))
        for group, new in zip(groups, changed, strict=True):
            for variable, value in zip(group, new, strict=True):
                variable.assign(value)
        state.steps.assign(steps)
        return {name: float(value) for name, value in terms.items()}

    def predicted(batch: dict) -> np.ndarray:
        values = [
            [variable.value for variable in group]
            for group in (network.trainable_variables, network.non_trainable_variables)
        ]
        return np.asarray(predict(*values, of_fixed_shape(batch)))[: len(batch["overall"])]

    return stepped, predicted


def of_fixed_shape(batch: dict) -> dict[str, np.ndarray]:
    """The batch as NumPy arrays, padded to one of few shapes, for the same losses.

    The clips get padding up to a multiple of 512 frames. Copies of the first clip without labels, which no
    loss reads, fill the batch up to a power of two, which is 64 or more for clips of up to 8 s.
    """
    arrays = {name: np.asarray(values) for name, values in batch.items()}
    clips, frames = arrays["mask"].shape
    more_frames = -frames % FRAME_STEP
    fewest = max(1, FEWEST_CLIPS * FRAME_STEP // (frames + more_frames))
    more_clips = (1 << (max(fewest, clips) - 1).bit_length()) - clips
    padded = {}
    for name, values in arrays.items():
        is_label = name not in ("frames", "reference", "mask")
        if values.ndim > 1:
            around = [(0, 0), (0, more_frames)] + [(0, 0)] * (values.ndim - 2)
            values = np.pad(values, around, constant_values=np.nan if is_label else 0)
        more = np.repeat(values[:1], more_clips, axis=0)
        if is_label:
            more[:] = np.nan
        padded[name] = np.concatenate([values, more])
    return padded


def _share(config: Config, steps: keras.KerasTensor) -> keras.KerasTensor:
    """The weight of a step's weights in the average of all so far.

    Polynomial-decay averaging (Shamir and Zhang, ICML 2013, section 4): the weights of step t count by
    about t^average_power, so that the average covers the run and its beginning counts little.
    """
    return (config.average_power + 1) / (config.average_power + steps)


def _scores(config: Config, outputs: dict, batch: dict) -> keras.KerasTensor:
    score = ops.clip(outputs["score"], LOWEST, HIGHEST)
    return overall_score(score, outputs["weight"], batch["mask"], config.power)
