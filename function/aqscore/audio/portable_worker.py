"""Decoder workers where Linux's memfd, descriptor passing and sandbox are missing.

Requests go through pipes; samples through multiprocessing's shared memory. The worker opens the recording by
its path, or a temporary copy where it has none. The client kills a worker that exceeds its time limit. No
limit of memory is enforced. Only Linux was tried: the tests run this transport there, by choice.
"""

import io
import json
import os
import shutil
import subprocess
import tempfile
import threading
from contextlib import suppress
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.answers import MAX_ANSWER_BYTES
from aqscore.audio.worker_handle import (
    SAMPLE_BUFFER_BYTES,
    PreparedPool,
    Task,
    WorkerDied,
    WorkerHandle,
    run_module,
)
from aqscore.audio.worker_output import WorkerOutput
from aqscore.errors import DecoderLost


class PortableWorker(WorkerHandle):
    """A worker that its client kills at the time limit."""

    def __init__(self) -> None:
        """Starts a process. Raises DecoderLost."""
        self._copy: Path | None = None
        self._path = ""
        self._output = WorkerOutput()
        self._shared = SharedMemory(create=True, size=SAMPLE_BUFFER_BYTES)
        try:
            self._process = run_module(
                "aqscore.audio.worker_main",
                [self._shared.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._output.write_end,
            )
        except OSError as error:
            self._output.close()
            self._free_memory()
            raise DecoderLost(f"No process could be started to decode in ({error}).") from error
        self._output.lent()
        self.pid = self._process.pid
        assert self._process.stdin is not None and self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def give(self, file: BinaryIO) -> None:
        """Sets the recording, which the worker opens by its path. Raises OSError."""
        self._path = self._path_of(file)

    def ask(self, request: dict[str, Any], limit_s: float) -> bytes:
        """As WorkerHandle.ask."""
        timed_out = threading.Event()

        def kill() -> None:
            timed_out.set()
            self._process.kill()

        watchdog = threading.Timer(min(limit_s, threading.TIMEOUT_MAX), kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            self._requests.write(json.dumps({**request, "path": self._path}).encode() + b"\n")
            self._requests.flush()
            line = self._answers.readline(MAX_ANSWER_BYTES + 1)
        except OSError:  # the pipe is closed
            line = b""
        finally:
            watchdog.cancel()
        if not line:
            raise WorkerDied(self._process.wait(), timed_out=timed_out.is_set())
        return line

    def samples(self, count: int) -> NDArray[np.float32]:
        """As WorkerHandle.samples."""
        assert self._shared.buf is not None
        return np.frombuffer(self._shared.buf, np.float32, count).copy()

    def end(self) -> str:
        """As WorkerHandle.end."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):  # a request that the worker never read
                pipe.close()
        if self._copy is not None:
            self._copy.unlink(missing_ok=True)
        self._free_memory()
        output = self._output.read()
        self._output.close()
        return output

    def _path_of(self, file: BinaryIO) -> str:
        """A path by which the worker can open the file."""
        name = getattr(file, "name", None)
        if isinstance(file, io.BufferedReader) and isinstance(name, str):
            try:
                if os.path.samestat(os.fstat(file.fileno()), Path(name).stat()):
                    return str(Path(name).absolute())
            except OSError:  # it was moved or deleted
                pass
        with tempfile.NamedTemporaryFile(prefix="aqscore-", delete=False) as copy:
            self._copy = Path(copy.name)
            file.seek(0)
            shutil.copyfileobj(file, copy)
        return copy.name

    def _free_memory(self) -> None:
        self._shared.close()
        self._shared.unlink()


class PortableWorkers(PreparedPool[PortableWorker]):
    """Workers of which the next one is started before it is needed."""

    def prestart(self) -> None:
        """As WorkerPool.prestart."""
        if (earlier := self._exchange(PortableWorker())) is not None:
            earlier.end()

    def start(self, task: Task) -> PortableWorker:
        """As WorkerPool.start."""
        worker = self._exchange(None)
        if worker is None or not worker.running:
            worker = PortableWorker()
        try:
            worker.give(task.file)
            with suppress(DecoderLost):  # raised again when a recording needs a worker
                self.prestart()
        except BaseException as error:  # among them Ctrl-C
            worker.end()
            if isinstance(error, OSError):
                raise DecoderLost(f"The recording could not be copied for its decoder ({error}).") from error
            raise
        return worker
