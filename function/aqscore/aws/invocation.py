"""One call of the function, and the time that it has left."""

from typing import Any

FRESH_SHARE = 0.9


class Call:
    """Lambda's context of a call, as the files in it need it."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._whole_s = self._left_s()

    def time_left(self) -> dict[str, Any]:
        """What ObjectScorer.process is told: ``left_s`` in seconds, and ``is_fresh_call``.

        A call is fresh while no later one would have more time: whatever a file seems to need, here it is
        tried.
        """
        left_s = self._left_s()
        return {"left_s": left_s, "is_fresh_call": left_s > FRESH_SHARE * self._whole_s}

    def _left_s(self) -> float:
        return self._context.get_remaining_time_in_millis() / 1000
