"""Decoder workers for one test alone."""

from collections.abc import Iterator

import pytest

from tests.watched_workers import WatchedWorkers


@pytest.fixture
def workers() -> Iterator[WatchedWorkers]:
    """A pool that has started nothing yet, of the kind that Linux gets by default."""
    pool = WatchedWorkers()
    yield pool
    pool.close()
