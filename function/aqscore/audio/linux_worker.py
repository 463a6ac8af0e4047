"""Decoder workers in Linux: each a fork of one process that has their libraries loaded, and confined.

The processes exchange messages through sockets, which also pass file descriptors; samples go through a
memfd. aqscore.audio.fork_server is the other side.
"""

import fcntl
import itertools
import json
import mmap
import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import ExitStack, suppress
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

SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
MAX_WAIT_S = 1e8  # sockets accept no more in some systems
START_LIMIT_S = 60.0  # for the fork server, which takes a tenth of a second
END_LIMIT_S = 3.0  # for a worker that has closed its socket, as it does at its end


class ServerGone(Exception):
    """The fork server has ended, or doesn't answer. The text is what it wrote to its standard error."""


class ForkServerProcess:
    """The process that forks workers. It never reads a recording. Threads may share it."""

    def __init__(self) -> None:
        """Starts the process, without waiting for it. Raises OSError, and leaves nothing open."""
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        with ExitStack() as lent, ExitStack() as kept:
            self._output = WorkerOutput()
            kept.callback(self._output.close)
            self._control, other_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            lent.enter_context(other_end)
            kept.enter_context(self._control)
            self._process = run_module(
                "aqscore.audio.fork_server",
                [other_end.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._output.write_end,
                pass_fds=(other_end.fileno(),),
            )
            self._output.lent()
            kept.pop_all()
        self._control.settimeout(START_LIMIT_S)

    def ask(self, request: dict[str, Any], descriptors: tuple[int, ...] = ()) -> Any:
        """The answer to a request. Raises ServerGone."""
        with self._lock:
            number = next(self._numbers)
            try:
                message = json.dumps({**request, "number": number}).encode()
                socket.send_fds(self._control, [message], descriptors)
                while data := self._control.recv(MAX_ANSWER_BYTES):
                    answered, answer = json.loads(data)
                    if answered == number:  # and not a request that Ctrl-C interrupted
                        return answer
            except OSError:  # among them TimeoutError, and the socket was closed by another thread
                pass
        raise ServerGone(self._output.read())

    def end(self) -> None:
        """Ends the process, and with it all workers."""
        with self._lock:
            self._control.close()
            self._process.kill()
            self._process.wait()
            self._output.close()


class LinuxWorkers(PreparedPool[ForkServerProcess]):
    """The workers that one fork server forks."""

    def prestart(self) -> None:
        """As WorkerPool.prestart."""
        self._running_server()

    def start(self, task: Task) -> "LinuxWorker":
        """As WorkerPool.start."""
        reason = ""
        for _ in range(2):  # the server may have been killed since the last recording
            server = self._running_server()
            try:
                return LinuxWorker(server, task)
            except ServerGone as error:
                reason = str(error)
                self._replace(server)
            except OSError as error:
                raise DecoderLost(f"No process could be started to decode in ({error}).") from error
        raise DecoderLost(f"No process could be started to decode in ({reason or 'it ended at once'}).")

    def _running_server(self) -> ForkServerProcess:
        with self._lock:
            if self._prepared is None:
                try:
                    self._prepared = ForkServerProcess()
                except OSError as error:
                    raise DecoderLost(f"No process could be started to decode in ({error}).") from error
            return self._prepared

    def _replace(self, server: ForkServerProcess) -> None:
        with self._lock:
            if self._prepared is server:
                self._prepared = None
                server.end()


class LinuxWorker(WorkerHandle):
    """A fork that is confined before it reads a byte of the recording."""

    def __init__(self, server: ForkServerProcess, task: Task) -> None:
        """Raises ServerGone, DecoderLost, OSError, and leaves nothing open."""
        self._server = server
        with ExitStack() as lent, ExitStack() as kept:
            memory = os.memfd_create("samples", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            lent.callback(os.close, memory)
            os.ftruncate(memory, SAMPLE_BUFFER_BYTES)
            fcntl.fcntl(memory, fcntl.F_ADD_SEALS, SEALS)  # a shorter file would end this process (SIGBUS)
            self._memory = kept.enter_context(mmap.mmap(memory, 0, prot=mmap.PROT_READ))
            self._channel, other_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            lent.enter_context(other_end)
            kept.enter_context(self._channel)
            self._output = WorkerOutput()
            kept.callback(self._output.close)
            recording = _reopened(task.file)
            lent.callback(os.close, recording)
            self.pid: int = server.ask(
                {"fork": True, "memory_bytes": task.memory_bytes, "cpu_s": task.cpu_s, "ffmpeg": task.ffmpeg},
                (other_end.fileno(), memory, self._output.write_end, recording),
            )
            self._output.lent()
            kept.pop_all()

    def ask(self, request: dict[str, Any], limit_s: float) -> bytes:
        """As WorkerHandle.ask."""
        self._channel.settimeout(min(limit_s, MAX_WAIT_S))
        try:
            self._channel.send(json.dumps(request).encode())
            answer = self._channel.recv(MAX_ANSWER_BYTES + 1)
        except TimeoutError:
            raise WorkerDied(None, timed_out=True) from None
        except ConnectionError:
            answer = b""
        if not answer:
            status = self._status()
            raise WorkerDied(status, timed_out=status == -signal.SIGXCPU)
        return answer

    def samples(self, count: int) -> NDArray[np.float32]:
        """As WorkerHandle.samples."""
        return np.frombuffer(self._memory, np.float32, count).copy()

    def end(self) -> str:
        """As WorkerHandle.end."""
        self._channel.close()
        with suppress(ServerGone):  # the workers end with it
            self._server.ask({"kill": self.pid})
        self._memory.close()
        output = self._output.read()
        self._output.close()
        return output

    def _status(self) -> int | None:
        """The exit status of the worker, which has closed its socket; None if it goes on nevertheless."""
        until, wait_s = time.monotonic() + END_LIMIT_S, 0.001
        while time.monotonic() < until:
            try:
                status: int | None = self._server.ask({"status": self.pid})
            except ServerGone:
                raise DecoderLost("The process that starts the decoders ended.") from None
            if status is not None:
                return status
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, 0.1)
        return None


def _reopened(file: BinaryIO) -> int:
    """A descriptor of the file that allows nothing but reading, and has a position of its own.

    Raises OSError.
    """
    descriptor = file.fileno()
    try:
        return os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # no /proc, or a file that this user may no longer open
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
            raise
        os.lseek(descriptor, 0, os.SEEK_SET)
        return os.dup(descriptor)
