"""With this folder in PYTHONPATH, a decoder worker does the action that the title of a WAV file names.

libsndfile has no known crash, hang or leak for tests to rely on. These actions stand in for them.
"""

import contextlib
import os
import signal
import time

import soundfile

_read = soundfile.SoundFile.read


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


def _hostile_read(self: soundfile.SoundFile, *arguments, **options):
    with contextlib.suppress(KeyError):
        ACTIONS[self.title]()
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
}
soundfile.SoundFile.read = _hostile_read
