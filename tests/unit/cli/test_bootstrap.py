"""bootstrap.py: intervals cover the true difference as often as stated; few samples decide nothing."""

import numpy as np
import pytest

from aqscore.cli import bootstrap
from aqscore.cli.bootstrap import paired_difference, unpaired_difference


def test_a_constant_difference_is_certain_and_no_difference_is_not():
    scores = np.linspace(1.5, 4.5, 20)
    lower = paired_difference(scores, scores - 0.3)
    assert [lower.mean, lower.low, lower.high] == pytest.approx([-0.3] * 3)
    assert lower.significant and lower.p < 0.001
    same = paired_difference(scores, scores)
    assert same.mean == 0 and same.p == 1.0 and not same.significant


@pytest.mark.parametrize("compare", [paired_difference, unpaired_difference])
def test_the_interval_covers_the_true_difference_19_times_of_20(rng, monkeypatch, compare):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 500)
    covered, trials = 0, 400
    for _ in range(trials):
        first = rng.normal(3.0, 0.5, 40)
        second = (
            rng.normal(3.2, 0.5, 40) if compare is unpaired_difference else first + rng.normal(0.2, 0.5, 40)
        )
        found = compare(first, second)
        covered += found.low <= 0.2 <= found.high
    assert covered / trials == pytest.approx(0.95, abs=0.03)


def test_pairs_show_what_independent_sets_hide(rng):
    first = rng.normal(3.0, 0.8, 30)
    second = first - 0.1 + rng.normal(0, 0.05, 30)
    assert paired_difference(first, second).significant
    assert not unpaired_difference(first, second).significant


@pytest.mark.parametrize("compare", [paired_difference, unpaired_difference])
def test_few_samples_have_a_mean_and_no_interval(compare):
    found = compare([1.0] * 5, [2.0] * 5)
    assert found.mean == 1.0
    assert found.low is found.high is found.p is found.significant is None


def test_memory_is_bounded_and_the_same_scores_give_the_same_numbers(rng):
    scores = rng.normal(3.0, 0.8, 3_000)
    assert paired_difference(scores, scores[::-1]) == paired_difference(scores, scores[::-1])
