"""The library as a metric of an evaluation toolkit, such as VERSA: samples in, a flat dictionary out."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqscore.causes import CAUSES
from aqscore.report import Cause
from aqscore.scorer import score


def predict(array: NDArray[np.floating[Any]], sr: int) -> dict[str, float]:
    """Scores an array with the shipped model; every value is a float, NaN where it doesn't apply.

    ``array`` has the shape (n,) or (n, channels) and full scale 1.0, ``sr`` is its sample rate in Hz. The
    keys: ``aqscore_mos_lqo`` (1.04 to 4.64), ``aqscore_lower`` and ``aqscore_upper`` (the 90 % interval),
    ``aqscore_mos`` (1 to 5), ``aqscore_mos_lower`` and ``aqscore_mos_upper``, ``aqscore_worst`` (the score of
    the worst second) and ``aqscore_worst_start_s``, ``aqscore_snr_db``, ``aqscore_speech_share`` (0 to 1),
    ``aqscore_duration_s``. For each kind of cause, ``aqscore_cost_noise`` and so on: its severity times its
    share, which is the MOS-LQO points that it costs on average over the speech; 0 where it is not listed.
    Raises as ``aqscore.score`` does.
    """
    report = score(array, sample_rate_hz=sr, frames=False)
    lower, upper = report.interval or (None, None)
    mos_lower, mos_upper = report.mos_interval or (None, None)
    worst = report.worst_segment
    values = {
        "mos_lqo": report.score,
        "lower": lower,
        "upper": upper,
        "mos": report.mos,
        "mos_lower": mos_lower,
        "mos_upper": mos_upper,
        "worst": worst.score if worst else None,
        "worst_start_s": worst.start_s if worst else None,
        "snr_db": report.signal.snr_db,
        "speech_share": report.signal.speech_share,
        "duration_s": report.media.duration_s,
    }
    causes = None if report.causes is None else {cause.kind: cause for cause in report.causes}
    for kind in CAUSES:
        values[f"cost_{kind}"] = None if causes is None else _average_cost(causes.get(kind))
    return {f"aqscore_{name}": math.nan if value is None else float(value) for name, value in values.items()}


def _average_cost(cause: Cause | None) -> float:
    return 0.0 if cause is None else round(cause.severity * cause.share, 3)
