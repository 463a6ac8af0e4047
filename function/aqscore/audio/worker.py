"""The process that decodes: untrusted bytes meet libsndfile and FFmpeg here, and nowhere else.

``python -m aqscore.audio.worker SOCKET MEMORY BYTES`` is started by aqscore.audio.client with two inherited
file descriptors. It answers requests, one JSON object a message, until the socket is closed:

    {"open": true, "limit_s": 9.5} + a file descriptor  ->  {"container", "codec", "sample_rate_hz",
                                                             "channels", "claimed_frames"}
    {"read": 4096, "limit_s": 9.5}                      ->  {"frames": 4096, "broken": null}
    {"close": true, "limit_s": 9.5}                     ->  {}

or {"refused": type of error, "text": why, "advice": null}. Samples go through the shared memory. The
process caps itself: what takes longer than ``limit_s`` ends it by SIGALRM, and it gets no more than BYTES
of memory.
"""

import json
import mmap
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import numpy as np

from aqscore.audio.decoders import open_decoder
from aqscore.audio.decoders.base import Decoder, Refused


class Server:
    """Answers the requests of one parent."""

    def __init__(self, channel: socket.socket, memory: mmap.mmap) -> None:
        self._channel = channel
        self._memory = memory
        self._decoder: Decoder | None = None
        self._descriptor: int | None = None

    def run(self) -> None:
        """Returns when the parent has closed the socket or is gone."""
        while True:
            message, descriptors, *_ = socket.recv_fds(self._channel, 4096, 1)
            if not message:
                return
            request = json.loads(message)
            signal.setitimer(signal.ITIMER_REAL, request["limit_s"])
            answer = self._answer(request, descriptors)
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._channel.send(json.dumps(answer).encode())

    def _answer(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        try:
            if "open" in request:
                [self._descriptor] = descriptors
                self._decoder = decoder = open_decoder(self._descriptor)
                names = ("container", "codec", "sample_rate_hz", "channels", "claimed_frames")
                return {name: getattr(decoder, name) for name in names}
            if "read" in request:
                values = request["read"] * self._decoder.channels
                out = np.frombuffer(self._memory, np.float32, values).reshape(request["read"], -1)
                frames, broken = self._decoder.read(out)
                return {"frames": frames, "broken": broken}
            self._close()
            return {}
        except Refused as error:
            return {"refused": error.type, "text": str(error), "advice": error.advice}
        except MemoryError:
            text = "Decoding it takes more memory than the limit allows."
            return {"refused": "limit_exceeded", "text": text, "advice": None}

    def _close(self) -> None:
        if self._decoder is not None:
            self._decoder.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._decoder = self._descriptor = None


def cap(memory_bytes: int) -> None:
    """From now on the process can't grow by more than that, and leaves no core when it dies."""
    pages = int(Path("/proc/self/statm").read_text().split()[5])  # data and stack: what RLIMIT_DATA counts
    present = pages * mmap.PAGESIZE
    for kind, value in ((resource.RLIMIT_DATA, present + memory_bytes), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(kind, (value, value))


if __name__ == "__main__":
    channel_fd, memory_fd, memory_bytes = map(int, sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes the socket
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    shared = mmap.mmap(memory_fd, 0)
    cap(memory_bytes)
    Server(socket.socket(fileno=channel_fd), shared).run()
