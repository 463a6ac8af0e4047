"""adapter.py: flat floats for toolkits of metrics."""

import math

import numpy as np
import pytest

from aqscore import predict, score
from aqscore.causes import CAUSES
from aqscore.errors import BadRequest


def test_the_values_are_those_of_the_report(speech):
    values = predict(speech, 16_000)
    report = score(speech, sample_rate_hz=16_000)
    assert values["aqscore_mos_lqo"] == report.score
    assert (values["aqscore_lower"], values["aqscore_upper"]) == report.interval
    assert values["aqscore_mos"] == report.mos
    assert (values["aqscore_mos_lower"], values["aqscore_mos_upper"]) == report.mos_interval
    assert values["aqscore_worst"] == report.worst_segment.score
    costs = {cause.kind: round(cause.severity * cause.share, 3) for cause in report.causes}
    assert [values[f"aqscore_cost_{kind}"] for kind in CAUSES] == [costs.get(kind, 0.0) for kind in CAUSES]
    assert all(type(value) is float for value in values.values())


def test_silence_has_the_same_keys_and_no_score(speech):
    values = predict(np.zeros(16_000, np.float32), 16_000)
    assert values.keys() == predict(speech, 16_000).keys()
    assert math.isnan(values["aqscore_mos_lqo"]) and math.isnan(values["aqscore_snr_db"])
    assert math.isnan(values["aqscore_mos"]) and math.isnan(values["aqscore_cost_noise"])
    assert values["aqscore_duration_s"] == 1.0


def test_integers_are_not_accepted():
    with pytest.raises(BadRequest):
        predict(np.zeros(16_000, np.int16), 16_000)
