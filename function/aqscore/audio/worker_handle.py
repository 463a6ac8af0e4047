"""The client's side of decoder workers, one process for each recording: the interface of both transports."""

import os
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.source import MAX_BLOCK_SAMPLES
from aqscore.audio.worker_path import python_path

SAMPLE_BUFFER_BYTES = MAX_BLOCK_SAMPLES * np.dtype(np.float32).itemsize  # shared with the worker, for samples
# Variables that the interpreter needs to start. The worker gets no others, such as credentials.
INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "LANG")


@dataclass(frozen=True)
class Task:
    """A recording to decode: an open file that has a descriptor, and the limits of its worker."""

    file: BinaryIO
    memory_bytes: int  # that the worker may add to its own
    cpu_s: float
    ffmpeg: bool = False  # whether FFmpeg must be loaded in advance


class WorkerDied(Exception):
    """The worker ended before it answered.

    ``status`` is below 0 for a signal, as in subprocess. It is None for a worker that closed its end of the
    channel and went on.
    """

    def __init__(self, status: int | None, *, timed_out: bool = False) -> None:
        super().__init__(f"status {status}")
        self.status, self.timed_out = status, timed_out


class WorkerHandle(ABC):
    """A worker for one recording, and the memory that it shares with this process."""

    pid: int

    @abstractmethod
    def ask(self, request: dict[str, Any], limit_s: float) -> bytes:
        """The answer to a request, within that time, unchecked. Raises WorkerDied, DecoderLost."""

    @abstractmethod
    def samples(self, count: int) -> NDArray[np.float32]:
        """A copy of (count,) float32 from the shared memory, which the worker may change at any time."""

    @abstractmethod
    def end(self) -> str:
        """Kills the process and frees its resources. Returns what it wrote to its standard error."""


class WorkerPool(ABC):
    """Starts a decoder worker for each recording. Threads may share a pool."""

    @abstractmethod
    def prestart(self) -> None:
        """Prepares for the first recording, without waiting. Raises DecoderLost."""

    @abstractmethod
    def start(self, task: Task) -> WorkerHandle:
        """A worker that has read nothing before. Raises DecoderLost."""

    @abstractmethod
    def close(self) -> None:
        """Ends all processes but those of open recordings. The next recording starts new ones."""

    @abstractmethod
    def forget(self) -> None:
        """Drops all processes without ending them, after a fork: they belong to the parent process."""


class Prepared(Protocol):
    """A process that waits for recordings."""

    def end(self) -> object: ...


class PreparedPool[P: Prepared](WorkerPool):
    """A pool that keeps one process prepared."""

    def __init__(self) -> None:
        self._prepared: P | None = None
        self._lock = threading.Lock()  # for the process

    def close(self) -> None:
        """As WorkerPool.close."""
        if (process := self._exchange(None)) is not None:
            process.end()

    def forget(self) -> None:
        """As WorkerPool.forget."""
        self._prepared = None
        self._lock = threading.Lock()  # another thread of the parent may have held it

    def _exchange(self, process: P | None) -> P | None:
        """Keeps that process, and returns the earlier one."""
        with self._lock:
            earlier, self._prepared = self._prepared, process
        return earlier


def run_module(module: str, arguments: Sequence[object], **options: Any) -> "subprocess.Popen[bytes]":
    """Starts a module in a process with only the inherited variables in its environment. Raises OSError."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *map(str, arguments)],
        env=inherited | {"PYTHONPATH": python_path(), "OPENBLAS_NUM_THREADS": "1"},
        process_group=None if os.name == "nt" else 0,  # Ctrl-C in a terminal is for the client only
        **options,
    )
