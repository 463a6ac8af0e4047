"""The fork server: a process with the decoders' libraries loaded, of which each decoder worker is a fork.

aqscore.audio.linux_worker starts it: ``python -m aqscore.audio.fork_server SOCKET``. It answers one JSON
object a message, until the socket is closed. The answer follows the request's "number":

    {"fork": true, "memory_bytes", "cpu_s", "ffmpeg"}  ->  the worker's process identifier
      with the worker's socket, memory, standard error and recording
    {"status": pid}                                    ->  its exit status, null while it runs
    {"kill": pid}                                      ->  null, and the worker is ended

The fork server reads no recording and has one thread, so that a fork is safe. It takes 2 ms, where an
interpreter takes 150 ms to start (docs/decisions/0082).
"""

import gc
import importlib
import io
import json
import mmap
import os
import pkgutil
import select
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import soundfile

from aqscore.audio import sandbox
from aqscore.audio.worker_main import DecoderServer, FfmpegMissing, SocketChannel

MAX_REQUEST_BYTES = 4096
DESCRIPTORS = 4
UNUSED_MODULES = ("av.__main__", "av.datasets")  # a command, and downloads
SWEEP_S = 0.05  # between two looks at workers that were killed


class ForkServer:
    """Forks workers, and collects their exit statuses."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._running: set[int] = set()
        self._killed: set[int] = set()

    def run(self) -> None:
        """Answers requests until the client closes the socket or is gone. Ends all workers."""
        with suppress(ConnectionError):
            while self._answer_next():
                pass
        for pid in self._running:
            os.kill(pid, signal.SIGKILL)

    def _answer_next(self) -> bool:
        ready, *_ = select.select([self._control], [], [], SWEEP_S if self._killed else None)
        self._killed = {pid for pid in self._killed if os.waitpid(pid, os.WNOHANG)[0] == 0}
        if not ready:
            return True
        message, descriptors, *_ = socket.recv_fds(self._control, MAX_REQUEST_BYTES, DESCRIPTORS)
        if message:
            request = json.loads(message)
            answer = self._answer(request, descriptors)
            self._control.send(json.dumps([request["number"], answer]).encode())
        return bool(message)

    def _answer(self, request: dict[str, Any], descriptors: Sequence[int]) -> int | None:
        if "fork" in request:
            return self._fork(request, descriptors)
        if "kill" in request:
            pid = request["kill"]
            if pid in self._running:  # and not one that has its number by now
                self._running.remove(pid)
                self._killed.add(pid)
                os.kill(pid, signal.SIGKILL)
            return None
        pid, status = os.waitpid(request["status"], os.WNOHANG)
        self._running.discard(pid)
        return os.waitstatus_to_exitcode(status) if pid else None

    def _fork(self, request: dict[str, Any], descriptors: Sequence[int]) -> int:
        if request["ffmpeg"]:
            load_ffmpeg()
        gc.freeze()  # a collection in a worker would copy these objects' pages
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                self._control.close()
                serve(request, *descriptors)
                status = 0
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                os._exit(status)
        self._running.add(pid)
        for descriptor in descriptors:
            os.close(descriptor)
        return pid


def serve(request: dict[str, Any], channel: int, memory_file: int, output: int, recording: int) -> None:
    """Serves one recording, in a fork, which is confined first."""
    os.dup2(output, 2)
    memory = mmap.mmap(memory_file, 0)
    for descriptor in (memory_file, output):
        os.close(descriptor)
    if not request["ffmpeg"] and "av" not in sys.modules:
        sys.meta_path.insert(0, NotLoaded())
    unfiltered = sandbox.confine(request["memory_bytes"], request["cpu_s"])
    DecoderServer(memory, unfiltered).run(SocketChannel(channel, recording))


class NotLoaded:
    """Finds FFmpeg's module in a worker that can't load it any more."""

    def find_spec(self, name: str, *_: object) -> None:
        """Raises FfmpegMissing for that module."""
        if name == "av":
            raise FfmpegMissing


def prepare() -> None:
    """Loads and tries once what a worker can't load: modules, and memory for calls from C to Python."""
    import soxr  # noqa: F401

    import aqscore.audio.decoders.ffmpeg
    import aqscore.audio.decoders.libsndfile  # noqa: F401

    silence = io.BytesIO()
    soundfile.write(silence, [0.0], 8000, format="WAV")
    silence.seek(0)
    soundfile.read(silence)


def load_ffmpeg() -> None:
    """Loads PyAV with all its modules, if it is installed: it imports some of them at their first use."""
    try:
        import av
    except ImportError:  # the decoder says so
        return
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name not in UNUSED_MODULES:
            importlib.import_module(module.name)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare()
    sandbox.hide_memory()
    sandbox.leave_network()
    ForkServer(socket.socket(fileno=int(sys.argv[1]))).run()
