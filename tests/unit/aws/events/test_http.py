"""aqscore.aws.events.http: the time that API Gateway leaves for a request."""

import time

import pytest
from starlette.requests import Request

from aqscore.aws.events.http import INIT_S, REQUEST_S, time_limit_s


def limit(**context: float) -> float:
    """The time limit of a request with this context in its event."""
    return time_limit_s(Request({"type": "http", "headers": [], "aws.event": {"requestContext": context}}))


def test_without_a_time_of_arrival_a_request_has_all_of_it():
    assert limit() == REQUEST_S


@pytest.mark.parametrize("name", ["requestTimeEpoch", "timeEpoch"])  # payload formats 1.0 and 2.0
def test_the_start_of_the_function_is_deducted(name):
    assert limit(**{name: (time.time() - 4) * 1000}) == pytest.approx(REQUEST_S - 4, abs=1)


def test_a_wrong_clock_rejects_no_request():
    assert limit(requestTimeEpoch=0.001) == REQUEST_S - INIT_S > 0
    assert limit(requestTimeEpoch=(time.time() + 1e6) * 1000) == REQUEST_S
