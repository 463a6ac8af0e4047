"""The decoder worker: libsndfile and FFmpeg read untrusted bytes in this process, and in no other.

In Linux, aqscore.audio.fork_server starts it. For other systems, aqscore.audio.portable_worker does:

    python -m aqscore.audio.worker_main MEMORY    the name of shared memory

A worker decodes one recording. It answers requests, one JSON object a message, until the socket or the pipe
is closed. aqscore.audio.answers describes the answers:

    {"open": true, "track": null}  ->  the format of the recording
    {"read": 4096}                 ->  {"frames": 4096, "broken": null, "findings": {...}, "progress": 0.5}

or {"error": a type of error, "message": the reason, "advice": null}, or {"needs": "ffmpeg"}. Samples go
through the shared memory.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Any, BinaryIO, Protocol

import numpy as np

from aqscore.audio.answers import FFMPEG, MAX_TEXT_CHARS
from aqscore.audio.decoders import DecoderError, FileDecoder, open_decoder
from aqscore.audio.worker_output import printable

MEMORY_ADVICE = "The header may state false sizes: open the file in another program, and export it again."
MAX_REQUEST_BYTES = 4096


class FfmpegMissing(Exception):
    """FFmpeg is needed, which this process did not load before it was confined."""


class Channel(Protocol):
    """The client's requests, and the answers to it."""

    def receive(self) -> dict[str, Any] | None:
        """The next request, for "open" with "descriptor"; None when the client has closed or is gone."""
        ...

    def send(self, answer: dict[str, Any]) -> None: ...


class DecoderServer:
    """Opens and reads one file."""

    def __init__(self, memory: Any, unfiltered: str | None = None) -> None:
        """Writes samples into ``memory``, a writable buffer.

        ``unfiltered`` is as in aqscore.audio.answers.
        """
        self._memory = memory
        self._unfiltered = unfiltered
        self._decoder: FileDecoder | None = None

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
            return self._read(request["read"])
        except FfmpegMissing:
            return {"needs": FFMPEG}
        except DecoderError as error:
            return _error(error.error_type, str(error), error.advice)
        except MemoryError:
            text = "Decoding it takes more memory than the limit allows, whatever its length."
            return _error("limit_exceeded", text, MEMORY_ADVICE)
        except Exception as error:
            # The recording's fault: nothing else in a request differs from those that succeed.
            text = f"The decoder failed on this file ({type(error).__name__}: {error})."
            return _error("decoder_crashed", text)

    def _open(self, descriptor: int, track: int | None) -> dict[str, Any]:
        self._decoder = decoder = open_decoder(descriptor, track)
        names = ("container", "codec", "sample_rate_hz", "channels", "tracks", "track")
        return {name: getattr(decoder, name) for name in names} | {"unfiltered": self._unfiltered}

    def _read(self, frames: int) -> dict[str, Any]:
        assert self._decoder is not None
        values = np.frombuffer(self._memory, np.float32, frames * self._decoder.channels)
        count, broken = self._decoder.read(values.reshape(frames, -1))
        return {
            "frames": count,
            "broken": broken and printable(broken)[:MAX_TEXT_CHARS],
            "findings": asdict(self._decoder.findings),
            "progress": self._decoder.progress,
        }


def _error(kind: str, message: str, advice: str | None = None) -> dict[str, Any]:
    return {"error": kind, "message": printable(message)[:MAX_TEXT_CHARS], "advice": advice}


class SocketChannel:
    """A socket, in Linux, of a worker that has the recording open."""

    def __init__(self, socket_fd: int, recording: int) -> None:
        self._socket, self._recording = socket_fd, recording

    def receive(self) -> dict[str, Any] | None:
        """As Channel.receive."""
        try:
            message = os.read(self._socket, MAX_REQUEST_BYTES)
        except ConnectionError:  # the client was killed before it read the last answer
            return None
        return {**json.loads(message), "descriptor": self._recording} if message else None

    def send(self, answer: dict[str, Any]) -> None:
        """As Channel.send."""
        os.write(self._socket, json.dumps(answer).encode())


class PipeChannel:
    """A pipe for requests and one for answers, in any system."""

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
    run_anywhere(*sys.argv[1:])
