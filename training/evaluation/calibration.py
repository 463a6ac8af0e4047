"""Calibration of a trained network: the intervals of its score and MOS, the no-speech rule, the causes.

Both are fitted on one half of the development speakers (and noises); the evaluation measures them on the
other half.
"""

import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aqscore.analysis.second_causes import MIN_SPEECH
from aqscore.analysis.signal_statistics import clearest_speech
from aqscore.causes import CAUSES
from aqscore.model.features import SPEC
from aqscore.model.pooling import FrameScores
from aqscore.model.runtimes import Network
from aqscore.scale import HIGHEST, LOWEST
from training.network.dataset import clip_path, load_clip, read_manifest
from training.network.losses import ABSENT_COST, PRESENT_COST

COVERAGE = 0.9
SCORED_SETS = ("dev_noise", "dev_mixed", "dev_clean", "dev_bursts")  # "all degradations" in every table
NO_SPEECH_SET = "dev_no_speech"
MOS_SETS = (*SCORED_SETS, "dev_pairs")
GRID_POINTS, MIN_NEIGHBOURS = 12, 40
FOLDS = 5  # groups of speakers for cross-validation
TAILS = np.arange(0.05, 0.004, -0.005)  # quantiles to try, from the narrowest interval on
MIN_SNR_DB = 0.0  # below it, a missed speech signal counts as no error
SPEECH_PROBABILITY = 0.5
MAX_FALSE_SPEECH = 0.02  # share of the clips without speech; the release threshold is 3 %, and noises differ
THRESHOLDS = np.arange(0.05, 1.005, 0.005)
CAUSE_THRESHOLDS, UNKNOWN_THRESHOLD = np.arange(0.2, 0.9, 0.02), 0.5
SECOND = round(1 / SPEC.hop_s)  # frames


class Prediction(NamedTuple):
    """The network's prediction for a development clip."""

    clip: dict  # its entry in the manifest
    overall: float  # MOS-LQO
    speech: np.ndarray  # (frames,) probability
    mos: tuple[float, float]  # of the teacher and of the network
    seconds: np.ndarray  # (2, seconds, causes): costs, NaN where unknown or mixed, and probabilities


def predictions(network: Network, power: float, corpus: Path) -> list[Prediction]:
    """Runs the network over the calibration half of the development sets; ``power`` pools its frames."""
    found = []
    for clip in read_manifest(corpus, *SCORED_SETS, NO_SPEECH_SET):
        if is_for_calibration(clip):
            arrays = load_clip(clip_path(corpus, clip))
            scores = network(arrays["frames"])
            mos = float(arrays["mos"]), scores.overall_mos()
            seconds = _seconds(arrays["costs"], scores)
            found.append(Prediction(clip, scores.overall(power), scores.speech, mos, seconds))
    return found


def _seconds(costs: np.ndarray, scores: FrameScores) -> np.ndarray:
    """(2, seconds, causes): the costs of each second with speech, and the causes' mean probabilities."""
    count = len(costs) // SECOND
    weight = scores.speech_weight[: count * SECOND].reshape(count, SECOND)
    spoken = weight.mean(axis=1) >= MIN_SPEECH
    shape = (count, SECOND, len(CAUSES))
    labels, probability = (values[: count * SECOND].reshape(shape) for values in (costs, scores.causes))
    steady = np.ptp(labels, axis=1) == 0
    mean = np.einsum("sf,sfc->sc", weight, probability) / np.maximum(weight.sum(axis=1), 1e-9)[:, None]
    return np.stack([np.where(steady, labels[:, 0], np.nan), mean])[:, spoken]


def is_for_calibration(clip: dict) -> bool:
    """Whether the clip is in the half to fit on, by its first speaker, else its first noise."""
    owner = (clip["speakers"] or clip["noise_kinds"] or [clip["clip"]])[0]
    return zlib.crc32(str(owner).encode()) % 2 == 0


def is_plain_speech(clip: dict) -> bool:
    """Whether the clip holds speech at an SNR of 0 dB or more, or undisturbed by noise."""
    return clip["pesq_wb"] is not None and (clip["snr_db"] is None or clip["snr_db"] >= MIN_SNR_DB)


def interval_table(found: list[Prediction], no_speech: dict, widening: float = 1.0) -> dict:
    """Bounds that cover the true score 9 times out of 10, by predicted score.

    The bounds are quantiles of the error among the clips with the nearest predictions. Cross-validation
    over speakers chooses the quantiles: the errors of one speaker's clips are correlated, so that quantiles
    at 5 and 95 % cover less than 90 % of a new speaker's clips. The coverage must exceed 90 % by one
    standard error over the speakers. ``widening`` multiplies the bounds' distances from the score in the
    end: the development speakers' clips come from the training's generators, and errors on recordings from
    elsewhere are larger. A bound on the other side of the score, as where all scores are too low, stays.
    Clips without speech by the rule ``no_speech`` are left out: they get
    no interval. Returns lists ``score``, ``lower``, ``upper``, to interpolate between, and ``coverage``.
    Raises ValueError when no clip is left.
    """
    scored = [p for p in found if p.clip["pesq_wb"] is not None and not has_no_speech(p.speech, no_speech)]
    if not scored:
        raise ValueError(
            f"None of the {len(found)} clips for calibration has speech by the rule {no_speech}, expected "
            "some: the network doesn't separate speech from noise yet, so train it for longer."
        )
    pairs = np.array([(p.overall, p.clip["pesq_wb"]) for p in scored]).clip(LOWEST, HIGHEST)
    speaker = np.array([zlib.crc32(str(p.clip["speakers"]).encode()) // 2 for p in scored])
    for tail in TAILS:
        coverage, error = _coverage_of_new_speakers(pairs, speaker, tail)
        if coverage - error >= COVERAGE:
            break
    table = _table(pairs, tail, widening)
    rounded = {name: np.round(values, 3).tolist() for name, values in table.items()}
    return rounded | {"coverage": COVERAGE, "widening": widening}


def mos_interval_table(found: list[Prediction]) -> dict:
    """Bounds that cover the teacher's MOS 9 times out of 10, by predicted MOS: lists mos, lower, upper.

    Raises ValueError when no clip has a teacher's MOS.
    """
    pairs = np.array([(p.mos[1], p.mos[0]) for p in found if np.all(np.isfinite(p.mos))]).reshape(-1, 2)
    if not len(pairs):
        raise ValueError(
            "None of the clips for calibration has a listeners' score, expected some: build the corpus with "
            "--teacher."
        )
    table = _table(pairs, (1 - COVERAGE) / 2, scale=(1.0, 5.0))
    score = table.pop("score")
    return {name: np.round(values, 3).tolist() for name, values in ({"mos": score} | table).items()}


def cause_thresholds(found: list[Prediction]) -> dict:
    """The threshold of each cause with the highest F1 over the seconds: ``kinds``, ``threshold``.

    Seconds with a cost between ``ABSENT_COST`` and ``PRESENT_COST`` don't count; of equally good thresholds
    the middle one is taken, 0.5 where no second has the cause.
    """
    seconds = np.concatenate([p.seconds for p in found], axis=1)
    thresholds = []
    for costs, probability in np.moveaxis(seconds, 2, 0):
        clear = (costs < ABSENT_COST) | (costs >= PRESENT_COST)  # neither is true of NaN
        present, named = costs[clear] >= PRESENT_COST, probability[clear, None] >= CAUSE_THRESHOLDS
        right = np.count_nonzero(named & present[:, None], axis=0)
        f1 = 2 * right / np.maximum(np.count_nonzero(named, axis=0) + np.count_nonzero(present), 1)
        best = CAUSE_THRESHOLDS[f1 == f1.max()] if present.any() else [UNKNOWN_THRESHOLD]
        thresholds.append(round(float(np.mean(best)), 3))
    return {"kinds": list(CAUSES), "threshold": thresholds}


def _table(
    pairs: np.ndarray, tail: float, widening: float = 1.0, scale: tuple[float, float] = (LOWEST, HIGHEST)
) -> dict[str, np.ndarray]:
    """Error quantiles ``tail`` and 1 - ``tail`` of (clips, 2) predicted and true scores, as bounds."""
    predicted, true = pairs[np.argsort(pairs[:, 0])].T
    width = min(len(pairs), max(2 * len(pairs) // GRID_POINTS, MIN_NEIGHBOURS))
    rows = []
    for first in np.linspace(0, len(pairs) - width, GRID_POINTS).astype(int):
        near = slice(first, first + width)
        rows.append(
            (np.median(predicted[near]), *np.quantile(true[near] - predicted[near], [tail, 1 - tail]))
        )
    score, low, high = np.unique(rows, axis=0).T
    low, high = np.where(low < 0, widening * low, low), np.where(high > 0, widening * high, high)
    score, first = np.unique(score, return_index=True)
    lower = np.maximum.accumulate(np.clip(score + low[first], *scale))
    upper = np.maximum.accumulate(np.clip(score + high[first], *scale))
    return {"score": score, "lower": lower, "upper": upper}


def _coverage_of_new_speakers(pairs: np.ndarray, speaker: np.ndarray, tail: float) -> tuple[float, float]:
    """Share of the clips whose bounds, fitted on the other groups of speakers, cover their true score.

    And the standard error of that share, clustered by speaker.
    """
    fold = speaker % FOLDS
    covered = np.zeros(len(pairs))
    for left_out in np.unique(fold):
        if (fold != left_out).any():
            test = fold == left_out
            covered[test] = _covers(_table(pairs[~test], tail), pairs[test])
    _, number = np.unique(speaker, return_inverse=True)
    deviation = np.bincount(number, covered - covered.mean())
    return float(covered.mean()), float(np.sqrt(np.sum(deviation**2)) / len(covered))


def _covers(table: dict[str, np.ndarray], pairs: np.ndarray) -> np.ndarray:
    """(clips,) whether the bounds at the predicted score cover the true one."""
    predicted, true = pairs.T
    lower, upper = (np.interp(predicted, table["score"], table[side]) for side in ("lower", "upper"))
    return (np.minimum(lower, predicted) <= true) & (true <= np.maximum(upper, predicted))


def has_no_speech(speech: np.ndarray, rule: dict) -> bool:
    """Whether a recording with these (frames,) speech probabilities has no speech by the rule."""
    return clearest_speech(speech) < rule["clearest_speech"]


def no_speech_rule(found: list[Prediction]) -> dict:
    """The threshold that misses the fewest recordings with speech and lets few without speech pass.

    A recording has no speech when the mean probability over 0.6 s reaches ``clearest_speech`` nowhere;
    of equally good thresholds the middle one is taken. ``speech_probability`` is the threshold of a single
    frame in everything else that is reported.
    """
    silent, spoken = (
        np.array([clearest_speech(p.speech) for p in found if (p.clip["set"] == NO_SPEECH_SET) is without])
        for without in (True, False)
    )
    allowed = THRESHOLDS[np.mean(silent[:, None] >= THRESHOLDS, axis=0) <= MAX_FALSE_SPEECH]
    missed = np.count_nonzero(spoken[:, None] < allowed, axis=0)
    best = allowed[missed == missed.min()]
    return {"speech_probability": SPEECH_PROBABILITY, "clearest_speech": round(float(best.mean()), 3)}
