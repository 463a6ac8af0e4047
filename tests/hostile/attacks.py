"""Code of an attacker who controls the decoder worker: the action that the title of a WAV file names.

libsndfile has no known crash, hang, leak or hole for tests to rely on. These actions stand in for them. They
run inside the worker, right before a block is decoded.
"""

import contextlib
import ctypes
import errno
import mmap
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import soundfile

_read = soundfile.SoundFile.read
DESCRIPTORS = range(3, 64)
EXECVE = {"x86_64": 59, "aarch64": 221}


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _hang() -> None:
    while True:
        pass


def _sleep() -> None:
    time.sleep(1e6)


def _slow() -> None:
    until = time.process_time() + 0.02
    while time.process_time() < until:
        pass


def _exhaust_memory() -> None:
    blocks = []
    while True:
        blocks.append(bytearray(1 << 20))


def _killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _ended() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _bug() -> None:
    raise RuntimeError("A bug in the worker")


class Loot(Exception):
    """What an attacker got, by name."""


def _loot(client: int) -> None:
    """Tries to take what isn't in the recording. ``client`` is the identifier of the client's process."""
    libc = ctypes.CDLL(None, use_errno=True)

    def exec_program() -> None:
        number = EXECVE[os.uname().machine]
        if libc.syscall(number, b"/nowhere", None, None) != 0 and ctypes.get_errno() != errno.ENOENT:
            raise PermissionError

    def read_memory() -> None:
        if libc.process_vm_readv(client, None, 0, None, 0, 0) != 0:
            raise PermissionError

    def fork() -> None:
        if os.fork() == 0:
            os._exit(0)

    attempts: dict[str, Callable[[], object]] = {
        "credentials": lambda: os.environ["AWS_SECRET_ACCESS_KEY"],
        "environment": Path(f"/proc/{client}/environ").read_bytes,
        "memory": Path(f"/proc/{client}/mem").open,
        "memory by a system call": read_memory,
        "another file": Path("/etc/passwd").read_bytes,
        "a list of files": lambda: list(Path("/").iterdir()),
        "the network": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "a signal to the client": lambda: os.kill(client, 0),
        "limits of the client": lambda: resource.prlimit(client, resource.RLIMIT_NOFILE),
        "a process": fork,
        "a thread": lambda: threading.Thread(target=int).start(),
        "a program": exec_program,
        "executable memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
    }
    found = []
    for name, attempt in attempts.items():
        with contextlib.suppress(KeyError, OSError, RuntimeError):  # no thread can be started: RuntimeError
            attempt()
            found.append(name)
    raise Loot(", ".join(found) or "nothing")


def _lie() -> None:
    """Decodes this recording well, and any later one to silence."""
    from aqscore.audio.worker_main import DecoderServer

    honest = DecoderServer.answer

    def silence(self: DecoderServer, request: dict) -> dict:
        answer = honest(self, request)
        if self is not first[0]:
            self._memory[:] = bytes(len(self._memory))
        return answer

    frame = sys._getframe()
    while not isinstance(frame.f_locals.get("self"), DecoderServer):
        frame = frame.f_back
    first = [frame.f_locals["self"]]
    DecoderServer.answer = silence


def _shrink() -> None:
    """Truncates the shared memory, so that the client dies of SIGBUS when it reads it."""
    for descriptor in DESCRIPTORS:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)


def _overwrite() -> None:
    """Writes into the recording."""
    for descriptor in DESCRIPTORS:
        with contextlib.suppress(OSError):
            os.pwrite(descriptor, b"overwritten", 0)


def _block() -> None:
    """Ignores every signal that can be ignored, and never answers."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        pass


def _poison() -> None:
    """Answers with something else than JSON of the schema."""
    for descriptor in DESCRIPTORS:
        with contextlib.suppress(OSError):
            os.write(descriptor, b'{"frames": -1, "broken": NaN, "findings": [[[[')


def _leave() -> None:
    """Closes the channel and goes on."""
    os.closerange(DESCRIPTORS.start, DESCRIPTORS.stop)
    while True:
        pass


def _daemon() -> None:
    """Leaves a process behind."""
    if os.fork() == 0:
        os.setsid()
        while True:
            time.sleep(1)


def _chatter() -> None:
    """Fills the standard error, with codes that a terminal would obey."""
    with contextlib.suppress(BlockingIOError):
        for _ in range(100_000):
            os.write(2, b"\x1b]0;title\x07 noise\n")


def _hostile_read(self: soundfile.SoundFile, *arguments, **options):
    for title, action in ACTIONS.items():
        if self.title == title:
            action()
    if self.title.startswith("loot "):
        _loot(int(self.title.removeprefix("loot ")))
    return _read(self, *arguments, **options)


ACTIONS = {
    "crash": _crash,
    "hang": _hang,
    "sleep": _sleep,
    "slow": _slow,
    "exhaust memory": _exhaust_memory,
    "killed": _killed,
    "ended": _ended,
    "bug": _bug,
    "lie": _lie,
    "shrink": _shrink,
    "overwrite": _overwrite,
    "block": _block,
    "poison": _poison,
    "leave": _leave,
    "daemon": _daemon,
    "chatter": _chatter,
}
soundfile.SoundFile.read = _hostile_read
