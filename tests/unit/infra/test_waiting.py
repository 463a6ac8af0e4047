"""infra.waiting: when a queue counts as empty, with a fake queue."""

from collections.abc import Iterable

import pytest

from infra.waiting import EMPTY_ANSWERS, Backlog


class Queue:
    def __init__(self, counts: Iterable[tuple[int, int]]) -> None:
        self._counts = iter(counts)

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict:  # noqa: N803
        return {"Attributes": {n: str(c) for n, c in zip(AttributeNames, next(self._counts), strict=True)}}


@pytest.mark.parametrize("left", [(1, 0), (0, 1)])
def test_a_message_missing_in_both_counts_does_not_make_a_queue_empty(left):
    backlog = Backlog(Queue([(2, 1), (0, 0), left, *[(0, 0)] * EMPTY_ANSWERS]), "url")
    assert not backlog.is_cleared()
    assert backlog.latest == 3
    assert [backlog.is_cleared() for _ in range(2 + EMPTY_ANSWERS)] == [False] * (1 + EMPTY_ANSWERS) + [True]
