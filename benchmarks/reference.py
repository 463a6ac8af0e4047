"""Times PESQ, which has the clean reference, beside aqscore, which has none."""

import warnings
from functools import partial

import numpy as np

from aqscore.config import ScorerConfig
from benchmarks.measuring import in_turn, milliseconds, ratio, table
from benchmarks.recordings import RATE, report_json, speech, wav

ROUNDS = 10
LENGTH_S = 10


def run(results: dict) -> dict:
    with warnings.catch_warnings(action="ignore"):
        from pesq import pesq
    reference = np.resize(speech(), LENGTH_S * RATE)
    noise = np.random.default_rng(1).standard_normal(len(reference)).astype(np.float32)
    degraded = reference + 0.02 * noise
    data = wav(LENGTH_S)
    return in_turn(
        {
            "PESQ-WB, with the clean reference": partial(pesq, RATE, reference, degraded, "wb"),
            "aqscore, without": partial(report_json, data, ScorerConfig()),
        },
        ROUNDS,
    )


def show(result: dict) -> str:
    [own] = [times for name, times in result.items() if name.startswith("aqscore")]
    return table(
        [f"{LENGTH_S} s of audio", "Milliseconds", "against aqscore"],
        [[name, milliseconds(times), f"{ratio(times, own):.1f}x"] for name, times in result.items()],
    )
