"""Decoder workers for one test alone."""

from collections.abc import Iterator

import pytest

from aqscore.audio.worker_pool import WorkerPool


@pytest.fixture
def workers() -> Iterator[WorkerPool]:
    """A pool that has no workers yet, of the kind that this system gets by default."""
    pool = WorkerPool()
    yield pool
    pool.close()
