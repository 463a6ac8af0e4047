"""The client's side of a decoder worker: the process, and requests to it. One subclass for each transport."""

import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.source import MAX_BLOCK_SAMPLES
from aqscore.errors import DecoderLost

SAMPLE_BUFFER_BYTES = MAX_BLOCK_SAMPLES * np.dtype(np.float32).itemsize  # shared with the worker, for samples
# Variables that the interpreter needs to start. The worker gets no others, such as credentials.
INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "LANG")


def python_path() -> str:
    """PYTHONPATH of a worker, for ``python -P``: this process's path without the current folder.

    The current folder ("") may hold recordings and modules of others.
    """
    package_folder = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join([*filter(None, sys.path), package_folder])


class WorkerDied(Exception):
    """The worker ended before it answered. ``status`` is below 0 for a signal, as in subprocess."""

    def __init__(self, status: int, *, timed_out: bool) -> None:
        super().__init__(f"status {status}")
        self.status, self.timed_out = status, timed_out


class WorkerHandle(ABC):
    """A process that runs aqscore.audio.worker_main, and the memory that it shares with this one."""

    _process: subprocess.Popen[bytes]

    def __init__(self, memory_bytes: int) -> None:
        """Starts a process that may add ``memory_bytes`` to its own. Raises DecoderLost when it can't."""
        self.memory_bytes = memory_bytes
        try:
            self._start()
        except OSError as error:
            raise DecoderLost(f"No process could be started to decode in ({error}).") from error

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @abstractmethod
    def ask(self, request: dict[str, Any], limit_s: float, file: BinaryIO | None = None) -> dict[str, Any]:
        """The answer to a request, which for "open" goes with the file. Raises WorkerDied."""

    @abstractmethod
    def samples(self, count: int) -> NDArray[np.float32]:
        """(count,) float32 from the shared memory, valid until the next request."""

    @abstractmethod
    def end(self) -> None:
        """Kills the process and frees its resources."""

    @abstractmethod
    def _start(self) -> None:
        """Raises OSError, and leaves nothing open."""

    def _run(self, arguments: Sequence[object], **options: Any) -> None:
        """Starts the process, with only the inherited variables in its environment."""
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "aqscore.audio.worker_main", *map(str, arguments)],
            env=inherited | {"PYTHONPATH": python_path(), "OPENBLAS_NUM_THREADS": "1"},
            process_group=None if os.name == "nt" else 0,  # Ctrl-C in a terminal is for the client only
            **options,
        )
