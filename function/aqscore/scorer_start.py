"""Starts scorer workers. It imports little, so that they can start before most modules are imported."""

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from aqscore.audio.worker_path import python_path

type Worker = subprocess.Popen[bytes]


def start_worker() -> Worker:
    """A process that waits for its configuration (see aqscore.scorer_worker). Raises OSError."""
    with _no_interrupt():
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "aqscore.scorer_worker"],
            env=os.environ | {"PYTHONPATH": python_path(), "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )


def end_worker(worker: Worker) -> int:
    """Ends the process and frees its pipes. Returns its status."""
    worker.kill()
    status = worker.wait()
    for pipe in (worker.stdin, worker.stdout):
        with suppress(OSError):  # a request that the process never read
            pipe and pipe.close()
    return status


def usable_cores() -> list[int]:
    """The numbers of the cores that this process may use; on systems that don't say, the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def jobs_of_all_cores(threads: int) -> int:
    """The processes of so many threads that the cores have room for which this process may use, 1 or more."""
    return max(1, len(usable_cores()) // threads)


class EarlyWorkers:
    """Workers that import their modules while this process does. A context, which ends those not taken."""

    def __init__(self) -> None:
        """Starts nothing yet."""
        self._workers: deque[Worker] = deque()

    def __enter__(self) -> "EarlyWorkers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while worker := self.take():
            end_worker(worker)

    def start(self, count: int) -> None:
        """Starts so many, or as many as can be: who takes none starts one, and reports why it can't."""
        with _no_interrupt(), suppress(OSError):
            for _ in range(count):
                self._workers.append(start_worker())

    def take(self) -> Worker | None:
        """A worker, which the caller must end; None if there is none. Any thread may call it."""
        return self._workers.popleft() if self._workers else None

    def kill(self) -> None:
        """Kills those that nobody has taken, without waiting: for a handler of signals."""
        for worker in self._workers:
            worker.kill()


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Keeps Ctrl-C from this thread, and from a process that starts, before it can ignore the signal."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
