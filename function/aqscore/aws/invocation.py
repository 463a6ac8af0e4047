"""One invocation of the function, and the attempts to score objects that it makes."""

import math
from dataclasses import dataclass
from typing import Any

FULL_TIME_SHARE = 0.9


@dataclass(frozen=True)
class Attempt:
    """The conditions under which an object is scored.

    ``rescore`` scores the object even if its version has a result. ``delivery`` counts the deliveries of the
    event from 1, None where its source doesn't. ``time_left_s`` is the rest of the invocation in seconds.
    ``has_full_time`` says that no later invocation would have more time, so that an object
    of any size is tried.
    """

    rescore: bool = False
    delivery: int | None = None
    time_left_s: float = math.inf
    has_full_time: bool = False


class Invocation:
    """Lambda's context of an invocation, reduced to its remaining time.

    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self._full_time_s = self._time_left_s()

    def attempt(self, *, rescore: bool = False, delivery: int | None = None) -> Attempt:
        """An attempt that begins now."""
        time_left_s = self._time_left_s()
        return Attempt(
            rescore=rescore,
            delivery=delivery,
            time_left_s=time_left_s,
            has_full_time=time_left_s > FULL_TIME_SHARE * self._full_time_s,
        )

    def _time_left_s(self) -> float:
        milliseconds: int = self._context.get_remaining_time_in_millis()
        return milliseconds / 1000
