"""Decoders in processes of their own: a crash, a hang or a hunger for memory costs one recording.

A process decodes one recording after another; one that met a broken file is replaced. Requests and
answers are those of aqscore.audio.worker. Samples come through shared memory, so a block costs two short
messages.
"""

import atexit
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np

from aqscore.errors import (
    CorruptAudio,
    DecoderCrashed,
    DecoderLost,
    DecodingTooSlow,
    LimitExceeded,
    PermanentError,
    UnsupportedFormat,
)
from aqscore.limits import Limits

BLOCK_SAMPLES = 1 << 18  # over all channels: a bound on memory, whatever a header claims
ANSWER_BYTES = 4096
IDLE = 8  # processes kept for the next recordings: as many as were decoded at once, up to here
# What the interpreter needs to start, and nothing of the function's own, such as its credentials.
INHERITED = ("PATH", "LD_LIBRARY_PATH", "LANG")
# How a process is ended by others: the kernel when memory is short, an operator or a supervisor.
FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM)
REFUSALS: dict[str, type[PermanentError]] = {
    error.type: error for error in (CorruptAudio, LimitExceeded, UnsupportedFormat)
}


class Decoding:
    """A recording that a process decodes; use it as a context."""

    def __init__(self, descriptor: int, limits: Limits) -> None:
        """Opens the file behind a file descriptor, by its content.

        Raises UnsupportedFormat, CorruptAudio, LimitExceeded, DecoderCrashed, DecoderLost.
        """
        self._limits = limits
        self._left_s = limits.max_decode_s
        self._answered = self._sound = True  # or its process is of no use to another recording
        self._process = _take(limits.max_memory_bytes)
        try:
            opened = self._ask({"open": True}, descriptor)
        except BaseException:
            self.close()
            raise
        self.container: str = opened["container"]
        self.codec: str = opened["codec"]
        self.sample_rate_hz: int = opened["sample_rate_hz"]
        self.channels: int = opened["channels"]
        self.claimed_frames: int | None = opened["claimed_frames"]

    def read(self) -> tuple[np.ndarray, str | None]:
        """Up to BLOCK_SAMPLES as (n, channels) float32, and why no more can be decoded, if none can.

        They stay until the next call; none of them is the end. Raises LimitExceeded, DecoderCrashed,
        DecoderLost.
        """
        frames = BLOCK_SAMPLES // self.channels
        answer = self._ask({"read": frames})
        values = np.frombuffer(self._process.memory, np.float32, frames * self.channels)
        self._sound = self._sound and answer["broken"] is None
        return values.reshape(frames, self.channels)[: answer["frames"]], answer["broken"]

    def close(self) -> None:
        """Lets go of the file, and of the process unless that can decode another one."""
        if self._answered and self._sound and self._closes():
            _give_back(self._process)
        else:
            self._process.end()
            with suppress(DecoderLost):  # whoever needs the next one will be told
                start(self._limits)

    def _closes(self) -> bool:
        """Whether the process lives on. What it dies of now is no fault of what it has decoded."""
        self._left_s = self._limits.max_decode_s  # however little the recording has left of it
        try:
            self._ask({"close": True})
        except (PermanentError, DecoderLost):
            return False
        return True

    def __enter__(self) -> "Decoding":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _ask(self, request: dict[str, Any], *descriptors: int) -> dict[str, Any]:
        if self._left_s <= 0:
            raise self._too_slow()
        started = time.monotonic()
        self._answered = False
        answer = self._process.ask({**request, "limit_s": self._left_s}, descriptors)
        self._left_s -= time.monotonic() - started
        if answer is None:
            raise self._death()
        self._answered = True
        if kind := answer.get("refused"):
            # What was never audio has shown the decoder nothing that could have hurt it.
            self._sound = kind == UnsupportedFormat.type
            raise REFUSALS[kind](answer["text"], advice=answer["advice"])
        return answer

    def _death(self) -> Exception:
        status = self._process.wait()
        if status == -signal.SIGALRM:
            return self._too_slow()
        if status >= 0 or status in FROM_OUTSIDE:
            return DecoderLost(f"The decoder's process ended with status {status} while it was at work.")
        return DecoderCrashed(f"The decoder crashed on this file ({signal.Signals(-status).name}).")

    def _too_slow(self) -> DecodingTooSlow:
        limit_s = self._limits.max_decode_s
        return DecodingTooSlow(f"Decoding took longer than {limit_s:g} s, which is the limit.")


class _Process:
    """A process that runs aqscore.audio.worker. It ends when its socket is closed or its parent is gone."""

    def __init__(self, memory_bytes: int) -> None:
        """Raises DecoderLost when none can be started."""
        self.memory_bytes = memory_bytes
        try:
            self._start()
        except OSError as error:
            raise DecoderLost(f"No process could be started to decode in ({error}).") from error

    def _start(self) -> None:
        with ExitStack() as lent, ExitStack() as kept:
            file = os.memfd_create("samples")
            lent.callback(os.close, file)
            self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            lent.enter_context(theirs)
            kept.enter_context(self._channel)
            os.ftruncate(file, BLOCK_SAMPLES * np.dtype(np.float32).itemsize)
            self.memory = kept.enter_context(mmap.mmap(file, 0))
            given = (theirs.fileno(), file, self.memory_bytes)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "aqscore.audio.worker", *map(str, given)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), file),
                env={name: os.environ[name] for name in INHERITED if name in os.environ}
                | {"PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}
                | {"OPENBLAS_NUM_THREADS": "1"},
            )
            kept.pop_all()

    def ask(self, request: dict[str, Any], descriptors: tuple[int, ...]) -> dict[str, Any] | None:
        """The answer to one request; None when the process died over it."""
        try:
            socket.send_fds(self._channel, [json.dumps(request).encode()], descriptors)
            answer = self._channel.recv(ANSWER_BYTES)
        except ConnectionError:
            return None
        return json.loads(answer) if answer else None

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> int:
        """How it ended: the exit status, or the signal's number below 0."""
        return self._process.wait()

    def end(self) -> None:
        """Kills it, should it still be at work."""
        self._channel.close()
        self._process.kill()
        self._process.wait()


_idle: list[_Process] = []
_lock = threading.Lock()  # the HTTPS API on one's own machine decodes in several threads


def start(limits: Limits) -> None:
    """Has a process ready before the first recording comes: it starts while the caller goes on."""
    _give_back(_Process(limits.max_memory_bytes))


def _take(memory_bytes: int) -> _Process:
    with _lock:
        fit = [process for process in _idle if process.memory_bytes == memory_bytes and process.runs]
        if fit:
            _idle.remove(fit[-1])
            return fit[-1]
    return _Process(memory_bytes)


def _give_back(process: _Process) -> None:
    with _lock:
        _idle.append(process)
        surplus = _idle[:-IDLE]
        del _idle[:-IDLE]
    for each in surplus:
        each.end()


@atexit.register
def _end_all() -> None:
    while _idle:
        _idle.pop().end()


os.register_at_fork(after_in_child=_idle.clear)  # a fork's parent goes on using them
