"""The decoder client: decodes a file in a worker process, so that a crash or a hang costs one recording.

A worker decodes one recording after another; one that read a broken file is replaced. Requests and answers
are those of aqscore.audio.worker_main. Samples come through shared memory: a block costs two short
messages.
"""

import signal
import time
from enum import Enum, auto
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.findings import Findings
from aqscore.audio.source import MAX_BLOCK_SAMPLES
from aqscore.audio.worker_handle import WorkerDied
from aqscore.audio.worker_pool import WorkerPool, default_pool
from aqscore.deadline import Deadline
from aqscore.errors import (
    AqscoreError,
    BadRequest,
    CorruptAudio,
    DecoderCrashed,
    DecoderLost,
    DecodingTooSlow,
    LimitExceeded,
    OutOfTime,
    PermanentError,
    UnsupportedFormat,
)
from aqscore.limits import Limits

# Signals by which the kernel (short of memory), an operator or a supervisor ends a process.
SIGKILL, SIGTERM = 9, 15
# Exit statuses of Windows from here on are exceptions, such as an access violation.
WINDOWS_EXCEPTION = 0xC000_0000
ERRORS: dict[str, type[PermanentError]] = {
    error.type: error
    for error in (BadRequest, CorruptAudio, DecoderCrashed, LimitExceeded, UnsupportedFormat)
}


class WorkerState(Enum):
    """Whether a worker may decode another recording."""

    READY = auto()
    SUSPECT = auto()  # it read a broken file, which may have damaged it
    BUSY = auto()  # it has not answered the last request, or has ended


class DecoderClient:
    """A file that a worker decodes. A SampleSource; use it as a context."""

    def __init__(
        self,
        file: BinaryIO,
        limits: Limits,
        workers: WorkerPool | None = None,
        deadline: Deadline | None = None,
        track: int | None = None,
    ) -> None:
        """Opens a binary file that has a file descriptor. Its content decides on the decoder.

        ``track`` is the audio track to decode, from 0; None leaves the choice to the decoder.
        Raises BadRequest for a track that isn't there, UnsupportedFormat, CorruptAudio, LimitExceeded,
        DecoderCrashed, DecoderLost, OutOfTime.
        """
        self._limits = limits
        self._deadline = deadline or Deadline()
        self._remaining_s = limits.max_decode_s
        self._state = WorkerState.READY
        self._workers = workers or default_pool
        self._worker = self._workers.take(limits)
        try:
            opened = self._ask({"open": True, "track": track}, file)
        except BaseException:
            self.close()
            raise
        self.container: str = opened["container"]
        self.codec: str = opened["codec"]
        self.sample_rate_hz: int = opened["sample_rate_hz"]
        self.channels: int = opened["channels"]
        self.tracks: int = opened["tracks"]
        self.track: int = opened["track"]
        self.findings = Findings()

    @property
    def pid(self) -> int:
        """The process identifier of the worker."""
        return self._worker.pid

    def read(self) -> tuple[NDArray[np.float32], str | None]:
        """As SampleSource.read. Raises LimitExceeded, DecoderCrashed, DecoderLost, OutOfTime."""
        frames = MAX_BLOCK_SAMPLES // self.channels
        answer = self._ask({"read": frames})
        self.findings = Findings(**answer["findings"])
        if answer["broken"] is not None:
            self._state = WorkerState.SUSPECT
        values = self._worker.samples(answer["frames"] * self.channels)
        return values.reshape(-1, self.channels), answer["broken"]

    def close(self) -> None:
        """Closes the file, and gives the worker back or replaces it."""
        reusable = self._state is WorkerState.READY or (
            self._state is WorkerState.SUSPECT and self._workers.reuse_suspect
        )
        if reusable and self._close_file():
            self._workers.give_back(self._worker)
        else:
            self._workers.replace(self._worker)

    def _close_file(self) -> bool:
        """Whether the worker is still at work. Should it end now, the recording is not the reason."""
        self._remaining_s = self._limits.max_decode_s  # even if the recording used it up
        try:
            self._ask({"close": True})
        except AqscoreError:
            return False
        return True

    def __enter__(self) -> "DecoderClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, request: dict[str, Any], file: BinaryIO | None = None) -> dict[str, Any]:
        limit_s = min(self._remaining_s, self._deadline.remaining_s)
        if limit_s <= 0:
            raise self._too_slow()
        started = time.monotonic()
        state, self._state = self._state, WorkerState.BUSY
        try:
            answer = self._worker.ask(request, limit_s, file)
        except WorkerDied as death:
            raise self._too_slow() if death.timed_out else _error_of(death.status) from None
        self._remaining_s -= time.monotonic() - started
        self._state = state
        if error_type := answer.get("error"):
            # Only the beginning of a file of unknown format was read, which can't have damaged the worker.
            if error_type != UnsupportedFormat.type:
                self._state = WorkerState.SUSPECT
            raise ERRORS[error_type](answer["message"], advice=answer["advice"])
        return answer

    def _too_slow(self) -> DecodingTooSlow | OutOfTime:
        if self._deadline.remaining_s <= 0:
            return self._deadline.exceeded()
        limit_s = self._limits.max_decode_s
        return DecodingTooSlow(f"Decoding took longer than {limit_s:g} s, which is the limit.")


def _error_of(status: int) -> DecoderCrashed | DecoderLost:
    """The error for a worker that ended with this status before it answered."""
    if -status in (SIGKILL, SIGTERM) or 0 <= status < WINDOWS_EXCEPTION:
        return DecoderLost(f"The decoder's process ended with status {status} while it was at work.")
    name = signal.Signals(-status).name if status < 0 else f"{status:#x}"
    return DecoderCrashed(f"The decoder crashed on this file ({name}).")
