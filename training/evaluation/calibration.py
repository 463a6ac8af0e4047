"""Calibration of a trained network: the interval of its score, and the no-speech rule.

Both are fitted on one half of the development speakers (and noises); the evaluation measures them on the
other half.
"""

import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aqscore.analysis.signal_statistics import clearest_speech
from aqscore.model.runtimes import Network
from aqscore.scale import HIGHEST, LOWEST
from training.network.dataset import clip_path, load_clip, read_manifest

COVERAGE = 0.9
SCORED_SETS = ("dev_noise", "dev_mixed", "dev_clean", "dev_bursts")  # "all degradations" in every table
NO_SPEECH_SET = "dev_no_speech"
GRID_POINTS, MIN_NEIGHBOURS = 12, 40
FOLDS = 5  # groups of speakers for cross-validation
TAILS = np.arange(0.05, 0.004, -0.005)  # quantiles to try, from the narrowest interval on
MIN_SNR_DB = 0.0  # below it, a missed speech signal counts as no error
SPEECH_PROBABILITY = 0.5
MAX_FALSE_SPEECH = 0.02  # share of the clips without speech; the release threshold is 3 %, and noises differ
THRESHOLDS = np.arange(0.05, 1.005, 0.005)


class Prediction(NamedTuple):
    """The network's prediction for a development clip."""

    clip: dict  # its entry in the manifest
    overall: float  # MOS-LQO
    speech: np.ndarray  # (frames,) probability


def predictions(network: Network, power: float, corpus: Path) -> list[Prediction]:
    """Runs the network over the calibration half of the development sets; ``power`` pools its frames."""
    found = []
    for clip in read_manifest(corpus, *SCORED_SETS, NO_SPEECH_SET):
        if is_for_calibration(clip):
            scores = network(load_clip(clip_path(corpus, clip))["frames"])
            found.append(Prediction(clip, scores.overall(power), scores.speech))
    return found


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


def _table(pairs: np.ndarray, tail: float, widening: float = 1.0) -> dict[str, np.ndarray]:
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
    lower = np.maximum.accumulate(np.clip(score + low[first], LOWEST, HIGHEST))
    upper = np.maximum.accumulate(np.clip(score + high[first], LOWEST, HIGHEST))
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
