"""The losses, over whole padded batches at once; padding never enters them.

The recording's score and the two squared errors are Quality-Net's (Fu, Tsao, Hwang and Wang,
Interspeech 2018, equations 1 and 2), with three changes: a weighted power mean pools the frames, every frame
has a label of its own, and the frames of every clip weigh the same.
"""

from keras import KerasTensor, ops

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


def overall_score(score: KerasTensor, weight: KerasTensor, mask: KerasTensor, power: float) -> KerasTensor:
    """(B,) scores of the recordings from (B, T) frames: FrameScores.overall of those that are no padding."""
    weight = weight * ops.cast(mask, "float32")
    distance = ops.maximum(HIGHEST - score, 0.0) ** power
    mean = ops.sum(weight * distance, axis=1) / ops.sum(weight, axis=1)
    return HIGHEST - ops.maximum(mean, MIN_DISTANCE**power) ** (1 / power)


def losses(config: Config, outputs: dict, batch: dict) -> dict[str, KerasTensor]:
    """The terms, scalars: utterance, frames, speech, clean (the denoising head's), mos, causes, costs, and
    their sum ``loss``.

    ``outputs`` is from the training network, ``batch`` from training.network.dataset. Clips
    without speech enter the speech term alone, unlabelled recordings the term ``mos``, and the speech term in
    frames that the augmentation adds.
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
    return terms | {"loss": sum(terms.values())}


def overall_mos(outputs: dict, mask: KerasTensor) -> KerasTensor:
    """(B,) MOS of the recordings: the mean over the frames, weighted by the square of ``speech``."""
    weight = (ops.square(ops.stop_gradient(outputs["speech"])) + SILENT_WEIGHT) * ops.cast(mask, "float32")
    return ops.sum(weight * outputs["mos"], axis=1) / ops.sum(weight, axis=1)


def cause_loss(probability: KerasTensor, batch: dict) -> KerasTensor:
    """Mean over the speech frames of the sum over (B, T, causes) of the binary cross-entropy.

    Costs between ``ABSENT_COST`` and ``PRESENT_COST`` make soft targets.
    """
    known, costs = _known_costs(batch)
    target = ops.clip((costs - ABSENT_COST) / (PRESENT_COST - ABSENT_COST), 0.0, 1.0)
    frames = ops.sum(ops.cast(ops.any(known > 0, axis=2), "float32"))
    return _ratio(ops.sum(known * _cross_entropy(probability, target)), frames)


def cost_loss(predicted: KerasTensor, batch: dict) -> KerasTensor:
    """Mean squared error of the (B, T, causes) costs over the speech frames that have the cause."""
    known, costs = _known_costs(batch)
    present = known * ops.cast(costs >= ABSENT_COST, "float32")
    error = present * ops.square(predicted - costs)
    return _ratio(ops.sum(error), ops.sum(present))


def _known_costs(batch: dict) -> tuple[KerasTensor, KerasTensor]:
    """(B, T, causes): 1.0 in speech frames where the cost is known, else 0.0; and the costs, 0 elsewhere."""
    spoken = batch["mask"] & (batch["speech"] > 0.5)
    known = ops.isfinite(batch["costs"]) & spoken[:, :, None]
    return ops.cast(known, "float32"), ops.where(known, batch["costs"], 0.0)


def utterance_loss(predicted: KerasTensor, target: KerasTensor) -> KerasTensor:
    """Mean squared error of the (B,) overall scores, over clips that have one; 0 when none has."""
    known = ops.isfinite(target)
    error = ops.square(predicted - ops.where(known, target, predicted))
    return _ratio(ops.sum(error), ops.sum(ops.cast(known, "float32")))


def frame_loss(score: KerasTensor, batch: dict) -> KerasTensor:
    """Mean over clips of the mean squared error over the clip's frames that have a label; (B, T) scores."""
    labels = batch["frame_scores"]
    known = ops.isfinite(labels) & batch["mask"]
    count = ops.sum(ops.cast(known, "float32"), axis=1)
    error = ops.square(score - ops.where(known, labels, score))
    per_clip = _ratio(ops.sum(error, axis=1), count)
    has_score = ops.cast(ops.isfinite(batch["overall"]) & (count > 0), "float32")
    return _ratio(ops.sum(has_score * per_clip), ops.sum(has_score))


def speech_loss(probability: KerasTensor, speech: KerasTensor, mask: KerasTensor) -> KerasTensor:
    """Mean binary cross-entropy over the frames that are no padding and have a label; (B, T) each."""
    known = ops.isfinite(speech) & mask
    entropy = _cross_entropy(probability, ops.where(known, speech, 0.0))
    known = ops.cast(known, "float32")
    return _ratio(ops.sum(known * entropy), ops.sum(known))


def denoising_loss(clean: KerasTensor, batch: dict) -> KerasTensor:
    """Mean squared error of the (B, T, 48) log bands over the frames that hold speech."""
    has_score = ops.isfinite(batch["overall"])
    spoken = ops.cast(batch["mask"] & (batch["speech"] > 0.5) & has_score[:, None], "float32")
    error = ops.mean(ops.square(clean - log_magnitudes(batch["reference"])), axis=2)
    return _ratio(ops.sum(spoken * error), ops.sum(spoken))


def _cross_entropy(probability: KerasTensor, target: KerasTensor) -> KerasTensor:
    """The binary cross-entropy of each element; finite at probabilities of 0 and 1."""
    probability = ops.clip(probability, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    return -target * ops.log(probability) - (1 - target) * ops.log(1 - probability)


def _ratio(value: KerasTensor, count: KerasTensor) -> KerasTensor:
    """``value`` / ``count``, a whole number; 0 where it is 0."""
    return value / ops.maximum(count, 1.0)
