"""The losses, over whole padded batches at once; padding never enters them.

The recording's score and the two squared errors are Quality-Net's (Fu, Tsao, Hwang and Wang,
Interspeech 2018, equations 1 and 2), with three changes: a weighted power mean pools the frames, every frame
has a label of its own, and the frames of every clip weigh the same.
"""

import tensorflow as tf

from aqscore.model.silence import SILENT_WEIGHT
from aqscore.scale import HIGHEST
from training.network.blocks import log_magnitudes
from training.network.config import Config

FRAME_WEIGHT = 0.5
SPEECH_WEIGHT = 1.0
MOS_WEIGHT, CAUSES_WEIGHT, COSTS_WEIGHT = 0.5, 0.25, 0.1
# A cause that costs less than the first, MOS-LQO, is absent; from the second on it is present.
ABSENT_COST, PRESENT_COST = 0.1, 0.5
MIN_PROBABILITY = 1e-6
MIN_DISTANCE = 0.03  # from the best score: the gradient of a root is infinite at 0


def overall_score(score: tf.Tensor, weight: tf.Tensor, mask: tf.Tensor, power: float) -> tf.Tensor:
    """(B,) scores of the recordings from (B, T) frames: FrameScores.overall of those that are no padding."""
    weight = weight * tf.cast(mask, tf.float32)
    distance = tf.maximum(HIGHEST - score, 0.0) ** power
    mean = tf.reduce_sum(weight * distance, axis=1) / tf.reduce_sum(weight, axis=1)
    return HIGHEST - tf.maximum(mean, MIN_DISTANCE**power) ** (1 / power)


def losses(config: Config, outputs: dict, batch: dict) -> dict[str, tf.Tensor]:
    """The terms, scalars: utterance, frames, speech, clean (the denoising head's), mos, causes, costs, and
    their sum ``loss``.

    ``outputs`` is from the training network, ``batch`` from training.network.dataset. Clips
    without speech (``overall`` NaN) enter the speech term alone.
    """
    overall = overall_score(outputs["score"], outputs["weight"], batch["mask"], config.power)
    terms = {
        "utterance": utterance_loss(overall, batch["overall"]),
        "frames": FRAME_WEIGHT * frame_loss(outputs["score"], batch),
        "speech": SPEECH_WEIGHT * speech_loss(outputs["speech"], batch["speech"], batch["mask"]),
        "clean": config.denoise * denoising_loss(outputs["clean"], batch),
        "mos": MOS_WEIGHT * utterance_loss(overall_mos(outputs, batch["mask"]), batch["mos"]),
        "causes": CAUSES_WEIGHT * cause_loss(outputs["causes"], batch),
        "costs": COSTS_WEIGHT * cost_loss(outputs["costs"], batch),
    }
    return terms | {"loss": tf.add_n(list(terms.values()))}


def overall_mos(outputs: dict, mask: tf.Tensor) -> tf.Tensor:
    """(B,) MOS of the recordings: the mean over the frames, weighted by the square of ``speech``."""
    weight = (tf.square(tf.stop_gradient(outputs["speech"])) + SILENT_WEIGHT) * tf.cast(mask, tf.float32)
    return tf.reduce_sum(weight * outputs["mos"], axis=1) / tf.reduce_sum(weight, axis=1)


def cause_loss(probability: tf.Tensor, batch: dict) -> tf.Tensor:
    """Mean over the speech frames of the sum over (B, T, causes) of the binary cross-entropy.

    Costs between ``ABSENT_COST`` and ``PRESENT_COST`` make soft targets.
    """
    known, costs = _known_costs(batch)
    target = tf.clip_by_value((costs - ABSENT_COST) / (PRESENT_COST - ABSENT_COST), 0.0, 1.0)
    probability = tf.clip_by_value(probability, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    entropy = -target * tf.math.log(probability) - (1 - target) * tf.math.log(1 - probability)
    frames = tf.reduce_sum(tf.cast(tf.reduce_any(known > 0, axis=2), tf.float32))
    return tf.math.divide_no_nan(tf.reduce_sum(known * entropy), frames)


def cost_loss(predicted: tf.Tensor, batch: dict) -> tf.Tensor:
    """Mean squared error of the (B, T, causes) costs over the speech frames that have the cause."""
    known, costs = _known_costs(batch)
    present = known * tf.cast(costs >= ABSENT_COST, tf.float32)
    error = present * tf.square(predicted - costs)
    return tf.math.divide_no_nan(tf.reduce_sum(error), tf.reduce_sum(present))


def _known_costs(batch: dict) -> tuple[tf.Tensor, tf.Tensor]:
    """(B, T, causes): 1.0 in speech frames where the cost is known, else 0.0; and the costs, 0 elsewhere."""
    spoken = batch["mask"] & (batch["speech"] > 0.5)
    known = tf.math.is_finite(batch["costs"]) & spoken[:, :, None]
    return tf.cast(known, tf.float32), tf.where(known, batch["costs"], 0.0)


def utterance_loss(predicted: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Mean squared error of the (B,) overall scores, over clips that have one; 0 when none has."""
    known = tf.math.is_finite(target)
    error = tf.square(predicted - tf.where(known, target, predicted))
    return tf.math.divide_no_nan(tf.reduce_sum(error), tf.reduce_sum(tf.cast(known, tf.float32)))


def frame_loss(score: tf.Tensor, batch: dict) -> tf.Tensor:
    """Mean over clips of the mean squared error over the clip's frames that have a label; (B, T) scores."""
    labels = batch["frame_scores"]
    known = tf.math.is_finite(labels) & batch["mask"]
    count = tf.reduce_sum(tf.cast(known, tf.float32), axis=1)
    error = tf.square(score - tf.where(known, labels, score))
    per_clip = tf.math.divide_no_nan(tf.reduce_sum(error, axis=1), count)
    has_score = tf.cast(tf.math.is_finite(batch["overall"]) & (count > 0), tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(has_score * per_clip), tf.reduce_sum(has_score))


def speech_loss(probability: tf.Tensor, speech: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Mean binary cross-entropy over the frames that are no padding; (B, T) probabilities and labels."""
    probability = tf.clip_by_value(probability, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    entropy = -speech * tf.math.log(probability) - (1 - speech) * tf.math.log(1 - probability)
    real = tf.cast(mask, tf.float32)
    return tf.reduce_sum(real * entropy) / tf.reduce_sum(real)


def denoising_loss(clean: tf.Tensor, batch: dict) -> tf.Tensor:
    """Mean squared error of the (B, T, 48) log bands over the frames that hold speech."""
    has_score = tf.math.is_finite(batch["overall"])
    spoken = tf.cast(batch["mask"] & (batch["speech"] > 0.5) & has_score[:, None], tf.float32)
    error = tf.reduce_mean(tf.square(clean - log_magnitudes(batch["reference"])), axis=2)
    return tf.math.divide_no_nan(tf.reduce_sum(spoken * error), tf.reduce_sum(spoken))
