"""Causes in a second: present by probability and cost, where there is speech."""

import numpy as np
import pytest

from aqscore.analysis.second_causes import causes_in, main_cause
from aqscore.causes import CAUSES
from tests.frame_scores import frame_scores

THRESHOLDS = np.full(len(CAUSES), 0.5)
NOISE, LEVEL = CAUSES.index("noise"), CAUSES.index("level")


def found(causes, costs=None, speech=1.0, thresholds=THRESHOLDS):
    """The causes in a second of 62 frames."""
    costs = costs or dict.fromkeys(causes, 1.0)
    scores = frame_scores(np.full(62, 3.0), speech=speech, causes=causes, costs=costs)
    return causes_in(scores, np.array([62]), thresholds)


def kinds(second) -> set[str]:
    return {kind for kind, present in zip(CAUSES, second.present[0], strict=True) if present}


@pytest.mark.parametrize(("probability", "present"), [(0.49, False), (0.51, True)])
def test_a_cause_is_present_from_its_threshold(probability, present):
    assert kinds(found({"noise": probability})) == ({"noise"} if present else set())
    thresholds = THRESHOLDS.copy()
    thresholds[NOISE] = 0.8
    assert kinds(found({"noise": probability, "level": 0.6}, thresholds=thresholds)) == {"level"}


def test_the_mean_is_over_the_speech_in_the_second():
    half = np.repeat([1.0, 0.0], 31)
    assert kinds(found({"noise": half}, speech=half)) == {"noise"}
    assert kinds(found({"noise": half}, speech=1 - half)) == set()
    # Squared: 0.2 against 0.8 is 1 to 16.
    assert kinds(found({"noise": half}, speech=np.where(half, 0.2, 0.8))) == set()


def test_a_second_without_speech_has_no_causes():
    second = found({"noise": 1.0}, speech=0.2)
    assert second.speech[0] == 0
    assert kinds(second) == set() and not second.costs.any() and not second.likely_costs.any()


def test_a_cause_that_costs_nothing_is_none():
    assert kinds(found({"noise": 1.0, "level": 1.0}, {"noise": 0.04, "level": 0.06})) == {"level"}


def test_costs_are_sums_weighted_by_speech_and_by_probability():
    second = found({"noise": 0.6, "level": 0.3}, {"noise": 2.0, "level": 3.0}, speech=0.5)
    assert second.speech[0] == pytest.approx(62 * 0.25)
    assert second.costs[0, NOISE] == pytest.approx(62 * 0.25 * 2)
    assert second.likely_costs[0, NOISE] == pytest.approx(62 * 0.25 * 2 * 0.6)
    assert second.costs[0, LEVEL] == 0  # below its threshold
    assert main_cause(second.likely_costs[0]) == "noise"


def test_no_cause_is_no_main_cause():
    assert main_cause(np.zeros(len(CAUSES))) is None
