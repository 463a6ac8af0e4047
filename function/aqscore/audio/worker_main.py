"""The decoder worker: libsndfile and FFmpeg read untrusted bytes in this process, and in no other.

aqscore.audio.linux_worker and aqscore.audio.portable_worker start it, with one of these command lines:

    python -m aqscore.audio.worker_main linux SOCKET MEMORY BYTES   inherited file descriptors, memory limit
    python -m aqscore.audio.worker_main portable MEMORY             the name of shared memory

It answers requests, one JSON object a message, until the socket or the pipe is closed:

    {"open": true, "track": null}                     ->  {"container", "codec", "sample_rate_hz", "channels",
      with a file descriptor or a path                     "tracks", "track"}
    {"read": 4096}                                    ->  {"frames": 4096, "broken": null, "findings": {...}}
    {"close": true}                                   ->  {}

or {"error": a type of error, "message": the reason, "advice": null}. Samples go through the shared memory.
In Linux the process limits itself: a request that takes longer than its "limit_s" ends it by SIGALRM, and it
gets no more than BYTES of memory.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from aqscore.audio.decoders import DecoderError, FileDecoder, open_decoder

MEMORY_ADVICE = "The header may state false sizes: open the file in another program, and export it again."
MAX_REQUEST_BYTES = 4096
MAX_TEXT_CHARS = 500  # of an unexpected error
MAX_ALARM_S = 1e8  # setitimer accepts no more in some systems


class Channel(Protocol):
    """The client's requests, and the answers to it."""

    def receive(self) -> dict[str, Any] | None:
        """The next request, for "open" with "descriptor"; None when the client has closed or is gone."""
        ...

    def send(self, answer: dict[str, Any]) -> None: ...


class DecoderServer:
    """Opens, reads and closes one file after another."""

    def __init__(self, memory: Any) -> None:
        """Writes samples into ``memory``, a writable buffer."""
        self._memory = memory
        self._decoder: FileDecoder | None = None
        self._descriptor: int | None = None

    def run(self, channel: Channel) -> None:
        """Answers requests until there are no more, or the client is gone."""
        with suppress(ConnectionError):
            while (request := channel.receive()) is not None:
                channel.send(self.answer(request))

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request."""
        try:
            if "open" in request:
                return self._open(request["descriptor"], request.get("track"))
            if "read" in request:
                return self._read(request["read"])
            return self._close()
        except DecoderError as error:
            return {"error": error.error_type, "message": str(error), "advice": error.advice}
        except MemoryError:
            text = "Decoding it takes more memory than the limit allows, whatever its length."
            return {"error": "limit_exceeded", "message": text, "advice": MEMORY_ADVICE}
        except Exception as error:
            # The recording's fault: nothing else in a request differs from those that succeed.
            text = f"The decoder failed on this file ({type(error).__name__}: {error})."
            return {"error": "decoder_crashed", "message": text[:MAX_TEXT_CHARS], "advice": None}

    def _open(self, descriptor: int, track: int | None) -> dict[str, Any]:
        self._descriptor = descriptor
        self._decoder = decoder = open_decoder(descriptor, track)
        names = ("container", "codec", "sample_rate_hz", "channels", "tracks", "track")
        return {name: getattr(decoder, name) for name in names}

    def _read(self, frames: int) -> dict[str, Any]:
        assert self._decoder is not None
        values = np.frombuffer(self._memory, np.float32, frames * self._decoder.channels)
        count, broken = self._decoder.read(values.reshape(frames, -1))
        return {"frames": count, "broken": broken, "findings": asdict(self._decoder.findings)}

    def _close(self) -> dict[str, Any]:
        if self._decoder is not None:
            self._decoder.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._decoder = self._descriptor = None
        return {}


class SocketChannel:
    """A socket that passes file descriptors, in Linux. Each request has a time limit, kept by an alarm."""

    def __init__(self, descriptor: int) -> None:
        import socket

        self._receive_fds = socket.recv_fds
        self._socket = socket.socket(fileno=descriptor)

    def receive(self) -> dict[str, Any] | None:
        """As Channel.receive."""
        try:
            message, descriptors, *_ = self._receive_fds(self._socket, MAX_REQUEST_BYTES, 1)
        except ConnectionError:  # the client was killed before it read the last answer
            return None
        if not message:
            return None
        request: dict[str, Any] = json.loads(message)
        signal.setitimer(signal.ITIMER_REAL, min(request["limit_s"], MAX_ALARM_S))
        return {**request, "descriptor": descriptors[0] if descriptors else None}

    def send(self, answer: dict[str, Any]) -> None:
        """As Channel.send."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._socket.send(json.dumps(answer).encode())


class PipeChannel:
    """A pipe for requests and one for answers, in any system. The client keeps the time limit."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self._requests, self._answers = requests, answers

    def receive(self) -> dict[str, Any] | None:
        """As Channel.receive."""
        line = self._requests.readline()
        if not line:
            return None
        request: dict[str, Any] = json.loads(line)
        if "open" in request:
            flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
            request["descriptor"] = os.open(request["path"], flags)
        return request

    def send(self, answer: dict[str, Any]) -> None:
        """As Channel.send."""
        self._answers.write(json.dumps(answer).encode() + b"\n")
        self._answers.flush()


def limit_memory(memory_bytes: int) -> None:
    """Lets the process grow by no more than that, and leave no core dump."""
    import mmap
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[5])  # data and stack: what RLIMIT_DATA counts
    present = pages * mmap.PAGESIZE
    for kind, value in ((resource.RLIMIT_DATA, present + memory_bytes), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(kind, (value, value))


def run_in_linux(socket_fd: int, memory_fd: int, memory_bytes: int) -> None:
    """Serves a LinuxWorker."""
    import mmap

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    memory = mmap.mmap(memory_fd, 0)
    limit_memory(memory_bytes)
    DecoderServer(memory).run(SocketChannel(socket_fd))


def run_anywhere(memory_name: str) -> None:
    """Serves a PortableWorker."""
    from multiprocessing import resource_tracker, shared_memory

    if sys.version_info >= (3, 13):
        memory = shared_memory.SharedMemory(memory_name, track=False)
    else:  # before track=False, the tracker of this process would delete the client's memory at its end
        resource_tracker.register = lambda *_: None
        memory = shared_memory.SharedMemory(memory_name)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # no library's output among the answers
    DecoderServer(memory.buf).run(PipeChannel(sys.stdin.buffer, answers))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the client gets Ctrl-C too, and then closes its end
    transport, *arguments = sys.argv[1:]
    if transport == "linux":
        run_in_linux(*map(int, arguments))
    else:
        run_anywhere(*arguments)
