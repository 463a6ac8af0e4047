"""Decoder workers in Linux, which the kernel limits in time and memory.

Requests go through a socket, which passes the recording's file descriptor; samples through a memfd. The
worker ends when its socket is closed or its parent is gone.
"""

import json
import mmap
import os
import signal
import socket
import subprocess
from contextlib import ExitStack
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.worker_handle import SAMPLE_BUFFER_BYTES, WorkerDied, WorkerHandle

MAX_ANSWER_BYTES = 4096


class LinuxWorker(WorkerHandle):
    """A worker that ends itself by SIGALRM at its time limit, and can't exceed its memory limit."""

    def ask(self, request: dict[str, Any], limit_s: float, file: BinaryIO | None = None) -> dict[str, Any]:
        """As WorkerHandle.ask."""
        message = json.dumps({**request, "limit_s": limit_s}).encode()
        try:
            socket.send_fds(self._channel, [message], [] if file is None else [file.fileno()])
            data = self._channel.recv(MAX_ANSWER_BYTES)
        except ConnectionError:
            data = b""
        if not data:
            status = self._process.wait()
            raise WorkerDied(status, timed_out=status == -signal.SIGALRM)
        answer: dict[str, Any] = json.loads(data)
        return answer

    def samples(self, count: int) -> NDArray[np.float32]:
        """As WorkerHandle.samples, without a copy."""
        return np.frombuffer(self._memory, np.float32, count)

    def end(self) -> None:
        """As WorkerHandle.end."""
        self._channel.close()
        self._process.kill()
        self._process.wait()

    def _start(self) -> None:
        with ExitStack() as lent, ExitStack() as kept:
            file = os.memfd_create("samples")
            lent.callback(os.close, file)
            self._channel, other_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            lent.enter_context(other_end)
            kept.enter_context(self._channel)
            os.ftruncate(file, SAMPLE_BUFFER_BYTES)
            self._memory = kept.enter_context(mmap.mmap(file, 0))
            self._run(
                ["linux", other_end.fileno(), file, self.memory_bytes],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(other_end.fileno(), file),
            )
            kept.pop_all()
