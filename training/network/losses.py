"""The losses, over whole padded batches at once; what is padding never enters them.

The recording's score and the two squared errors are Quality-Net's (Fu, Tsao, Hwang and Wang,
Interspeech 2018, equations 1 and 2), with the recording's score a weighted power mean of the frames'.
"""

import tensorflow as tf

from training.network.model import HIGHEST, Config, log_magnitudes

BEST = 4.5  # the score at which the published frame weight, 10^(PESQ - 4.5), is 1
EVEN_WEIGHT = 0.5  # of the frame error when every clip's frames count alike
SPEECH_WEIGHT = 1.0
LEAST_PROBABILITY = 1e-6
LEAST_DISTANCE = 0.03  # from the best score, that has a gradient: that of a root is endless at 0


def overall_score(score: tf.Tensor, weight: tf.Tensor, mask: tf.Tensor, power: float) -> tf.Tensor:
    """(B,) scores of the recordings from (B, T) frames: FrameScores.overall of those that are no padding."""
    weight = weight * tf.cast(mask, tf.float32)
    distance = tf.maximum(HIGHEST - score, 0.0) ** power
    mean = tf.reduce_sum(weight * distance, axis=1) / tf.reduce_sum(weight, axis=1)
    return HIGHEST - tf.maximum(mean, LEAST_DISTANCE**power) ** (1 / power)


def losses(config: Config, outputs: dict, batch: dict) -> dict[str, tf.Tensor]:
    """The terms, scalars: utterance, frames, speech, clean (with a denoising head), and their sum ``loss``.

    ``outputs`` is what the training network returns, ``batch`` what training.network.dataset yields. Clips
    without speech (``overall`` NaN) enter the speech term alone.
    """
    has_score = tf.math.is_finite(batch["overall"])
    terms = {
        "utterance": utterance_loss(
            overall_score(outputs["score"], outputs["weight"], batch["mask"], config.power), batch["overall"]
        ),
        "frames": frame_loss(config, outputs["score"], batch),
        "speech": SPEECH_WEIGHT * speech_loss(outputs["speech"], batch["speech"], batch["mask"]),
    }
    if config.denoise:
        spoken = tf.cast(batch["mask"] & (batch["speech"] > 0.5) & has_score[:, None], tf.float32)
        error = tf.reduce_mean(tf.square(outputs["clean"] - log_magnitudes(batch["reference"])), axis=2)
        terms["clean"] = config.denoise * tf.math.divide_no_nan(
            tf.reduce_sum(spoken * error), tf.reduce_sum(spoken)
        )
    return terms | {"loss": tf.add_n(list(terms.values()))}


def utterance_loss(predicted: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Mean squared error of the (B,) overall scores, over clips that have one; 0 when none has."""
    known = tf.math.is_finite(target)
    error = tf.square(predicted - tf.where(known, target, predicted))
    return tf.math.divide_no_nan(tf.reduce_sum(error), tf.reduce_sum(tf.cast(known, tf.float32)))


def frame_loss(config: Config, score: tf.Tensor, batch: dict) -> tf.Tensor:
    """Mean over clips of weight x mean squared error over the clip's frames that have a label.

    The published weight, 10^(PESQ - 4.5), is for labels copied from the clip to its frames: a bad clip's
    frames may be better than their label. Labels by time need no such excuse, so "even" trusts all alike.
    """
    labels = batch["frame_scores"]
    if config.frame_labels == "copied":
        labels = tf.where(tf.math.is_finite(labels), batch["overall"][:, None], labels)
    known = tf.math.is_finite(labels) & batch["mask"]
    count = tf.reduce_sum(tf.cast(known, tf.float32), axis=1)
    error = tf.square(score - tf.where(known, labels, score))
    per_clip = tf.math.divide_no_nan(tf.reduce_sum(error, axis=1), count)
    has_score = tf.math.is_finite(batch["overall"]) & (count > 0)
    if config.frame_weighting == "published":
        weight = tf.where(has_score, 10.0 ** (tf.where(has_score, batch["overall"], 0.0) - BEST), 0.0)
    else:
        weight = EVEN_WEIGHT * tf.cast(has_score, tf.float32)
    return tf.math.divide_no_nan(
        tf.reduce_sum(weight * per_clip), tf.reduce_sum(tf.cast(has_score, tf.float32))
    )


def speech_loss(probability: tf.Tensor, speech: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Mean binary cross-entropy over the frames that are no padding."""
    probability = tf.clip_by_value(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    entropy = -speech * tf.math.log(probability) - (1 - speech) * tf.math.log(1 - probability)
    real = tf.cast(mask, tf.float32)
    return tf.reduce_sum(real * entropy) / tf.reduce_sum(real)
