"""Decoder workers where Linux's memfd, descriptor passing and kernel limits are missing.

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

from aqscore.audio.worker_handle import SAMPLE_BUFFER_BYTES, WorkerDied, WorkerHandle


class PortableWorker(WorkerHandle):
    """A worker that its client kills at the time limit."""

    def ask(self, request: dict[str, Any], limit_s: float, file: BinaryIO | None = None) -> dict[str, Any]:
        """As WorkerHandle.ask."""
        if file is not None:
            request = {**request, "path": self._path_of(file)}
        timed_out = threading.Event()

        def kill() -> None:
            timed_out.set()
            self._process.kill()

        watchdog = threading.Timer(limit_s, kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
            line = self._answers.readline()
        except OSError:  # the pipe is closed
            line = b""
        finally:
            watchdog.cancel()
        if not line:
            raise WorkerDied(self._process.wait(), timed_out=timed_out.is_set())
        if "close" in request:
            self._delete_copy()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def samples(self, count: int) -> NDArray[np.float32]:
        """As WorkerHandle.samples; a copy, since shared memory can't be freed while an array uses it."""
        assert self._shared.buf is not None
        return np.frombuffer(self._shared.buf, np.float32, count).copy()

    def end(self) -> None:
        """As WorkerHandle.end."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):  # a request that the worker never read
                pipe.close()
        self._delete_copy()
        self._free_memory()

    def _start(self) -> None:
        self._copy: Path | None = None
        self._shared = SharedMemory(create=True, size=SAMPLE_BUFFER_BYTES)
        try:
            self._run(["portable", self._shared.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError:
            self._free_memory()
            raise
        assert self._process.stdin is not None and self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout

    def _path_of(self, file: BinaryIO) -> str:
        """A path by which the worker can open the file."""
        name = getattr(file, "name", None)
        if isinstance(file, io.BufferedReader) and isinstance(name, str):
            try:
                if os.path.samestat(os.fstat(file.fileno()), Path(name).stat()):
                    return str(Path(name).absolute())
            except OSError:  # it was moved or deleted
                pass
        self._delete_copy()
        with tempfile.NamedTemporaryFile(prefix="aqscore-", delete=False) as copy:
            self._copy = Path(copy.name)
            file.seek(0)
            shutil.copyfileobj(file, copy)
        return copy.name

    def _delete_copy(self) -> None:
        if self._copy is not None:
            self._copy.unlink(missing_ok=True)
        self._copy = None

    def _free_memory(self) -> None:
        self._shared.close()
        self._shared.unlink()
