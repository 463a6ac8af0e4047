"""What a trained network is told about itself: the interval beside its score, and when to say "no speech".

Both are fitted on one half of the development speakers (and noises); the evaluation reports on the other.
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
SCORED_SETS = ("dev_noise", "dev_mixed", "dev_clean", "dev_bursts")  # what "all" means in every report
NO_SPEECH_SET = "dev_no_speech"
GRID_POINTS, LEAST_NEAR = 12, 40
FOLDS = 5  # groups of speakers, each left out once
TAILS = np.arange(0.05, 0.004, -0.005)  # tried from the narrowest interval on
LEAST_SNR_DB = 0.0  # below it, not to find the speech is no error
SPEECH_PROBABILITY = 0.5
PASSED = 0.02  # of the clips without speech, may pass for speech: the bar is 3 %, and other noises differ
BARS = np.arange(0.05, 1.005, 0.005)


class Prediction(NamedTuple):
    """What the network says of a development clip."""

    clip: dict  # its line of the manifest
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
    """Whether somebody speaks at an SNR at which the speech must be found."""
    return clip["pesq_wb"] is not None and (clip["snr_db"] is None or clip["snr_db"] >= LEAST_SNR_DB)


def interval_table(found: list[Prediction], no_speech: dict) -> dict:
    """Bounds that hold the true score 9 times out of 10, by predicted score.

    Quantiles of the error among the clips with the nearest predictions. How far out they must lie is
    found by leaving speakers out: clips of one speaker err alike, so that quantiles at 5 and 95 % hold
    less than 90 % of a new speaker's clips. The coverage that is asked for is reached by one standard
    error over the speakers, who are few. Clips that the rule ``no_speech`` refuses are left out: they
    get no interval, and are the easiest ones. Returns lists ``score``, ``lower``, ``upper``, to
    interpolate between, and ``coverage``. Raises ValueError when it refuses them all.
    """
    scored = [p for p in found if p.clip["pesq_wb"] is not None and not is_refused(p.speech, no_speech)]
    if not scored:
        raise ValueError(
            f"None of the {len(found)} clips to calibrate on has speech by the rule {no_speech}, expected "
            "some: the network can't tell speech from noise yet, so train it for longer."
        )
    pairs = np.array([(p.overall, p.clip["pesq_wb"]) for p in scored]).clip(LOWEST, HIGHEST)
    speaker = np.array([zlib.crc32(str(p.clip["speakers"]).encode()) // 2 for p in scored])
    for tail in TAILS:
        coverage, error = _coverage_of_new_speakers(pairs, speaker, tail)
        if coverage - error >= COVERAGE:
            break
    table = _table(pairs, tail)
    return {name: np.round(values, 3).tolist() for name, values in table.items()} | {"coverage": COVERAGE}


def _table(pairs: np.ndarray, tail: float) -> dict[str, np.ndarray]:
    """Error quantiles ``tail`` and 1 - ``tail`` of (clips, 2) predicted and true scores, as bounds."""
    predicted, true = pairs[np.argsort(pairs[:, 0])].T
    width = min(len(pairs), max(2 * len(pairs) // GRID_POINTS, LEAST_NEAR))
    rows = []
    for first in np.linspace(0, len(pairs) - width, GRID_POINTS).astype(int):
        near = slice(first, first + width)
        rows.append(
            (np.median(predicted[near]), *np.quantile(true[near] - predicted[near], [tail, 1 - tail]))
        )
    score, least, most = np.unique(rows, axis=0).T
    score, first = np.unique(score, return_index=True)
    lower = np.maximum.accumulate(np.clip(score + least[first], LOWEST, HIGHEST))
    upper = np.maximum.accumulate(np.clip(score + most[first], LOWEST, HIGHEST))
    return {"score": score, "lower": lower, "upper": upper}


def _coverage_of_new_speakers(pairs: np.ndarray, speaker: np.ndarray, tail: float) -> tuple[float, float]:
    """Share of the clips whose bounds, taken from the other groups of speakers, hold their true score.

    And its standard error, with the clips of a speaker taken together.
    """
    fold = speaker % FOLDS
    held = np.zeros(len(pairs))
    for left_out in np.unique(fold):
        if (fold != left_out).any():
            mine = fold == left_out
            held[mine] = _holds(_table(pairs[~mine], tail), pairs[mine])
    _, number = np.unique(speaker, return_inverse=True)
    off = np.bincount(number, held - held.mean())
    return float(held.mean()), float(np.sqrt(np.sum(off**2)) / len(held))


def _holds(table: dict[str, np.ndarray], pairs: np.ndarray) -> np.ndarray:
    """(clips,) whether the bounds at the predicted score hold the true one."""
    predicted, true = pairs.T
    lower, upper = (np.interp(predicted, table["score"], table[side]) for side in ("lower", "upper"))
    return (np.minimum(lower, predicted) <= true) & (true <= np.maximum(upper, predicted))


def is_refused(speech: np.ndarray, rule: dict) -> bool:
    """Whether a recording with these (frames,) speech probabilities has no speech by the rule."""
    return clearest_speech(speech) < rule["clearest_speech"]


def no_speech_rule(found: list[Prediction]) -> dict:
    """The bar that refuses the fewest recordings in which somebody speaks, and lets few others by.

    A recording has no speech when nowhere in it the mean probability over 0.6 s reaches ``clearest_speech``;
    of equal bars it is the one in their middle. ``speech_probability`` is what makes a frame count as speech
    in everything else that is reported: more likely than not.
    """
    silent, spoken = (
        np.array([clearest_speech(p.speech) for p in found if (p.clip["set"] == NO_SPEECH_SET) is without])
        for without in (True, False)
    )
    allowed = BARS[np.mean(silent[:, None] >= BARS, axis=0) <= PASSED]
    refused = np.count_nonzero(spoken[:, None] < allowed, axis=0)
    best = allowed[refused == refused.min()]
    return {"speech_probability": SPEECH_PROBABILITY, "clearest_speech": round(float(best.mean()), 3)}
