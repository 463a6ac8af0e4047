"""What a trained network is told about itself: the interval beside its score, and when to say "no speech".

Both are fitted on one half of the development speakers (and noises); the evaluation reports on the other.
"""

import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from function.features import SPEC
from function.model import Network
from function.report import HIGHEST, LOWEST
from training.dataset import clip_path, load_clip, read_manifest

COVERAGE = 0.9
SCORED_SETS = ("dev_noise", "dev_mixed", "dev_clean", "dev_bursts")  # what "all" means in every report
NO_SPEECH_SET = "dev_no_speech"
GRID_POINTS = 12
LEAST_SNR_DB = 0.0  # below it, not to find the speech is no error
PROBABILITIES = np.arange(0.2, 0.96, 0.05)
SPEECH_SECONDS = np.arange(0.1, 1.01, 0.05)
MISSED_BAR, WRONG_BAR = 0.03, 0.01  # of clips without speech, of clips with it


class Prediction(NamedTuple):
    """What the network says of a development clip."""

    clip: dict  # its line of the manifest
    overall: float  # MOS-LQO
    speech: np.ndarray  # (frames,) probability


def predictions(network: Network, corpus: Path) -> list[Prediction]:
    """Runs the network over the calibration half of the development sets."""
    found = []
    for clip in read_manifest(corpus, *SCORED_SETS, NO_SPEECH_SET):
        if is_for_calibration(clip):
            scores = network(load_clip(clip_path(corpus, clip))["frames"])
            overall = float(np.average(scores.score, weights=scores.weight))
            found.append(Prediction(clip, overall, scores.speech))
    return found


def is_for_calibration(clip: dict) -> bool:
    """Whether the clip is in the half to fit on, by its first speaker, else its first noise."""
    owner = (clip["speakers"] or clip["noise_kinds"] or [clip["clip"]])[0]
    return zlib.crc32(str(owner).encode()) % 2 == 0


def is_plain_speech(clip: dict) -> bool:
    """Whether somebody speaks at an SNR at which the speech must be found."""
    return clip["pesq_wb"] is not None and (clip["snr_db"] is None or clip["snr_db"] >= LEAST_SNR_DB)


def interval_table(found: list[Prediction]) -> dict:
    """Bounds that hold the true score 9 times out of 10, by predicted score.

    Quantiles of the error among the clips with the nearest predictions, at the levels that split
    conformal prediction asks for (rank (n + 1) q), so that small samples don't promise too much.
    Returns lists ``score``, ``lower``, ``upper``, to interpolate between, and ``coverage``.
    """
    pairs = sorted((p.overall, p.clip["pesq_wb"]) for p in found if p.clip["pesq_wb"] is not None)
    predicted, true = np.array(pairs).T
    error = true - predicted
    centres = np.linspace(0, len(error) - 1, GRID_POINTS)
    reach = max(len(error) / GRID_POINTS, 20)
    tail = (1 - COVERAGE) / 2
    rows = []
    for centre in centres:
        first = int(np.clip(centre - reach, 0, max(0, len(error) - 2 * reach)))
        near = slice(first, first + int(2 * reach))
        count = len(error[near])
        least, most = np.quantile(
            error[near],
            np.clip([tail * (count + 1) / count - 1 / count, (1 - tail) * (count + 1) / count], 0, 1),
        )
        rows.append((np.median(predicted[near]), least, most))
    score, least, most = np.array(rows).T
    score, first = np.unique(score, return_index=True)
    lower = np.maximum.accumulate(np.clip(score + least[first], LOWEST, HIGHEST))
    upper = np.maximum.accumulate(np.clip(score + most[first], LOWEST, HIGHEST))
    table = {"score": score, "lower": lower, "upper": upper}
    return {name: np.round(values, 3).tolist() for name, values in table.items()} | {"coverage": COVERAGE}


def no_speech_rule(found: list[Prediction]) -> dict:
    """The rule with the fewest misses against both bars; of equal ones the one in their middle.

    A recording has no speech when fewer than ``least_speech_s`` seconds of frames have a probability
    of at least ``speech_probability``.
    """
    silent = [p.speech for p in found if p.clip["set"] == NO_SPEECH_SET]
    spoken = [p.speech for p in found if is_plain_speech(p.clip)]
    costs = np.empty((len(PROBABILITIES), len(SPEECH_SECONDS)))
    for row, probability in enumerate(PROBABILITIES):
        seconds = [
            np.array([np.count_nonzero(s >= probability) * SPEC.hop_s for s in group])
            for group in (silent, spoken)
        ]
        for column, least in enumerate(SPEECH_SECONDS):
            missed, wrong = np.mean(seconds[0] >= least), np.mean(seconds[1] < least)
            costs[row, column] = missed / MISSED_BAR + wrong / WRONG_BAR
    best = np.argwhere(costs == costs.min())
    row, column = best[np.abs(best - best.mean(axis=0)).sum(axis=1).argmin()]
    return {
        "speech_probability": round(float(PROBABILITIES[row]), 2),
        "least_speech_s": round(float(SPEECH_SECONDS[column]), 2),
    }
