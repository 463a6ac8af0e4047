"""The decoder client: decodes a file in a worker process, so that a crash or a hang costs one recording.

Each recording has a worker of its own, which is ended with it: it can do no harm to another. Requests are
those of aqscore.audio.worker_main. Samples come through shared memory: a block costs two short messages.
"""

import logging
import signal
import time
from functools import cache
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.answers import Block, FfmpegNeeded, Malformed, Opened, parse_block, parse_opened
from aqscore.audio.findings import Findings
from aqscore.audio.source import MAX_BLOCK_SAMPLES
from aqscore.audio.worker_handle import Task, WorkerDied, WorkerHandle, WorkerPool
from aqscore.audio.worker_pool import default_pool
from aqscore.deadline import Deadline
from aqscore.errors import DecoderCrashed, DecoderLost, DecodingTooSlow, OutOfTime
from aqscore.limits import Limits

log = logging.getLogger(__name__)

# Signals by which the kernel (short of memory), an operator or a supervisor ends a process.
SIGKILL, SIGTERM = 9, 15
# Exit statuses of Windows from here on are exceptions, such as an access violation.
WINDOWS_EXCEPTION = 0xC000_0000


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
        self._file, self._limits, self._track = file, limits, track
        self._deadline = deadline or Deadline()
        self._workers = workers or default_pool
        self._remaining_s = limits.max_decode_s
        self._frames_read = 0
        self._worker: WorkerHandle | None = None
        try:
            try:
                opened = self._open()
            except FfmpegNeeded:
                opened = self._open(ffmpeg=True)
        except BaseException:
            self.close()
            raise
        self.container, self.codec = opened.container, opened.codec
        self.sample_rate_hz, self.channels = opened.sample_rate_hz, opened.channels
        self.tracks, self.track = opened.tracks, opened.track
        self.findings = Findings()
        self.progress = 0.0

    @property
    def pid(self) -> int:
        """The process identifier of the worker, which runs until ``close``."""
        assert self._worker is not None
        return self._worker.pid

    def read(self) -> tuple[NDArray[np.float32], str | None]:
        """As SampleSource.read. Raises LimitExceeded, DecoderCrashed, DecoderLost, OutOfTime."""
        frames = MAX_BLOCK_SAMPLES // self.channels
        try:
            block = self._block(frames)
        except FfmpegNeeded:  # for a later part of the file
            self._open_again()
            block = self._block(frames)
        self._frames_read += block.frames
        self.findings, self.progress = block.findings, block.progress
        assert self._worker is not None
        values = self._worker.samples(block.frames * self.channels)
        return values.reshape(-1, self.channels), block.broken

    def close(self) -> None:
        """Ends the worker."""
        worker, self._worker = self._worker, None
        if worker is not None and (output := worker.end()):
            log.info("The decoder wrote: %s", output, extra={"decoder_output": output})

    def __enter__(self) -> "DecoderClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, *, ffmpeg: bool = False) -> Opened:
        """Opens the file in a new worker. Raises FfmpegNeeded unless ``ffmpeg``."""
        self.close()
        limits = self._limits
        task = Task(self._file, limits.max_memory_bytes, max(0.0, self._remaining_s), ffmpeg)
        self._worker = self._workers.start(task)
        try:
            opened = parse_opened(self._ask({"open": True, "track": self._track}))
        except FfmpegNeeded:
            if ffmpeg:
                raise _malformed() from None
            raise
        except Malformed:
            raise _malformed() from None
        if opened.unfiltered is not None:
            _log_unfiltered(opened.unfiltered)
        return opened

    def _open_again(self) -> None:
        """Opens the file in a worker that has FFmpeg, and skips what was read."""
        self._open(ffmpeg=True)
        skipped = 0
        while skipped < self._frames_read:
            block = self._block(min(MAX_BLOCK_SAMPLES // self.channels, self._frames_read - skipped))
            if block.frames == 0:
                raise _malformed()
            skipped += block.frames

    def _block(self, frames: int) -> Block:
        answer = self._ask({"read": frames})
        try:
            return parse_block(answer, frames)
        except Malformed:
            raise _malformed() from None

    def _ask(self, request: dict[str, Any]) -> bytes:
        assert self._worker is not None
        limit_s = min(self._remaining_s, self._deadline.remaining_s)
        if limit_s <= 0:
            raise self._too_slow()
        started = time.monotonic()
        try:
            answer = self._worker.ask(request, limit_s)
        except WorkerDied as death:
            raise self._too_slow() if death.timed_out else _error_of(death.status) from None
        self._remaining_s -= time.monotonic() - started
        return answer

    def _too_slow(self) -> DecodingTooSlow | OutOfTime:
        if self._deadline.remaining_s <= 0:
            return self._deadline.exceeded()
        limit_s = self._limits.max_decode_s
        return DecodingTooSlow(f"Decoding took longer than {limit_s:g} s, which is the limit.")


def _error_of(status: int | None) -> DecoderCrashed | DecoderLost:
    """The error for a worker that ended with this status before it answered."""
    if status is None:
        return DecoderCrashed("The decoder stopped answering on this file.")
    if -status in (SIGKILL, SIGTERM) or 0 <= status < WINDOWS_EXCEPTION:
        return DecoderLost(f"The decoder's process ended with status {status} while it was at work.")
    name = signal.Signals(-status).name if status < 0 else f"{status:#x}"
    return DecoderCrashed(f"The decoder crashed on this file ({name}).")


def _malformed() -> DecoderCrashed:
    return DecoderCrashed("The decoder gave an answer on this file that no intact decoder gives.")


@cache
def _log_unfiltered(reason: str) -> None:
    """Logs once, for each reason."""
    log.warning(
        "Decoders run without a filter of system calls (%s). See docs/security.md.",
        reason,
        extra={"reason": reason},
    )
