"""Decoder workers that wait for the next recordings, so that few recordings wait for a worker to start."""

import atexit
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from aqscore.audio.worker_handle import WorkerHandle
from aqscore.errors import DecoderLost
from aqscore.limits import Limits

MAX_IDLE = 8  # workers kept


def start_worker(memory_bytes: int) -> WorkerHandle:
    """Starts a decoder worker of the kind that this system supports. Raises DecoderLost."""
    if sys.platform == "linux" and hasattr(os, "memfd_create"):
        from aqscore.audio.linux_worker import LinuxWorker

        return LinuxWorker(memory_bytes)
    from aqscore.audio.portable_worker import PortableWorker

    return PortableWorker(memory_bytes)


class WorkerPool:
    """Idle decoder workers. Threads may share a pool."""

    def __init__(
        self,
        start: Callable[[int], WorkerHandle] = start_worker,
        *,
        max_idle: int = MAX_IDLE,
        reuse_suspect: bool = False,
    ) -> None:
        """Starts workers by ``start(memory_bytes)``, and keeps up to ``max_idle`` of them.

        A worker that read a broken file is suspect, and replaced unless ``reuse_suspect``: for fuzzing, where
        starting a worker takes a hundred times as long as a file.
        """
        self.reuse_suspect = reuse_suspect
        self._start = start
        self._max_idle = max_idle
        self._idle: list[WorkerHandle] = []
        self._lock = threading.Lock()

    @property
    def idle(self) -> tuple[WorkerHandle, ...]:
        """The workers that wait, the next one to be taken last."""
        with self._lock:
            return tuple(self._idle)

    def prestart(self, limits: Limits) -> None:
        """Starts a worker for the next recording, without waiting for it. Raises DecoderLost."""
        self.give_back(self._start(limits.max_memory_bytes))

    def take(self, limits: Limits) -> WorkerHandle:
        """An idle worker with this limit of memory, or a new one. Raises DecoderLost."""
        memory_bytes = limits.max_memory_bytes
        with self._lock:
            fit = [each for each in self._idle if each.memory_bytes == memory_bytes and each.running]
            if fit:
                self._idle.remove(fit[-1])
                return fit[-1]
        return self._start(memory_bytes)

    def give_back(self, worker: WorkerHandle) -> None:
        """Keeps a worker for another recording."""
        with self._lock:
            self._idle.append(worker)
            surplus = self._idle[: -self._max_idle]
            del self._idle[: -self._max_idle]
        for each in surplus:
            each.end()

    def replace(self, worker: WorkerHandle) -> None:
        """Ends a worker and starts another one, if that is possible."""
        worker.end()
        with suppress(DecoderLost):  # raised again when a recording needs a worker
            self.give_back(self._start(worker.memory_bytes))

    def close(self) -> None:
        """Ends all idle workers."""
        while self._idle:
            self._idle.pop().end()

    def forget(self) -> None:
        """Drops all idle workers without ending them, after a fork: they belong to the parent process."""
        self._idle.clear()
        self._lock = threading.Lock()  # another thread of the parent may have held it


default_pool = WorkerPool()
atexit.register(default_pool.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=default_pool.forget)


def prestart_worker(limits: Limits) -> None:
    """Starts a worker of this process's pool for the first recording. Raises DecoderLost."""
    default_pool.prestart(limits)
