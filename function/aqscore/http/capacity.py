"""How many recordings one process scores at once: a bound on its memory, whatever is sent to it."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aqscore.errors import Busy

# A score takes about 70 MB, and with the largest decoder (Limits.max_memory_bytes) 330 MB.
MAX_SCORES = max(4, os.cpu_count() or 1)


class Capacity:
    """Places for scores. Threads and event loops may share it."""

    def __init__(self, places: int = MAX_SCORES) -> None:
        self._places = places
        self._free = threading.BoundedSemaphore(places)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Holds a place. Raises Busy, without waiting, if there is none."""
        if not self._free.acquire(blocking=False):
            raise Busy(f"The server scores {self._places} recordings already, which is its limit.")
        try:
            yield
        finally:
            self._free.release()

    def check(self) -> None:
        """Raises Busy if there is no place now: before a body is read for nothing."""
        with self.place():
            pass
