"""aqscore.deadline: the end of a time limit, and the estimate of what can't be done in it."""

import math

import pytest

from aqscore.deadline import ESTIMATE_FROM_S, ESTIMATE_MARGIN, Deadline
from aqscore.errors import OutOfTime

LIMIT_S = 100.0


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_limit_begins_at_once_and_ends_in_time(clock):
    deadline = Deadline(LIMIT_S, clock)
    clock.now += 99
    deadline.check()
    assert deadline.remaining_s == pytest.approx(1)
    clock.now += 1
    with pytest.raises(OutOfTime, match="longer than the time limit of 100 s"):
        deadline.check()


def test_work_that_would_take_longer_ends_early(clock):
    deadline = Deadline(LIMIT_S, clock)
    clock.now += ESTIMATE_FROM_S
    with pytest.raises(OutOfTime, match="would take about 500 s; the time limit is 100 s"):
        deadline.check(ESTIMATE_FROM_S / 500)
    with pytest.raises(OutOfTime, match="would take far longer"):
        deadline.check(0.0)


def test_the_first_seconds_decide_nothing(clock):
    deadline = Deadline(LIMIT_S, clock)
    clock.now += 0.99 * ESTIMATE_FROM_S
    deadline.check(0.0)


def test_an_estimate_near_the_limit_decides_nothing(clock):
    deadline = Deadline(LIMIT_S, clock)
    for spent_s in (10, 50, 90):
        clock.now = 1000 + spent_s
        deadline.check(spent_s / (0.99 * ESTIMATE_MARGIN * LIMIT_S))
        with pytest.raises(OutOfTime):
            deadline.check(spent_s / (1.01 * ESTIMATE_MARGIN * LIMIT_S))


def test_without_a_limit_nothing_ends(clock):
    deadline = Deadline(math.inf, clock)
    clock.now += 1e9
    deadline.check(0.0)
