"""A recording to blocks of mono samples at 16 kHz, within limits."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import soxr
from numpy.typing import NDArray

from aqscore.audio.array_source import ArraySource, AudioArray
from aqscore.audio.checks import check_duration, check_format, check_samples, check_size
from aqscore.audio.decoder_client import DecoderClient
from aqscore.audio.downmix import downmix
from aqscore.audio.findings import Findings
from aqscore.audio.part import WHOLE, Part, PartSlicer
from aqscore.audio.peaks import PeakStatistics
from aqscore.audio.source import SampleSource
from aqscore.audio.worker_pool import WorkerPool
from aqscore.deadline import Deadline
from aqscore.errors import BadRequest, CorruptAudio
from aqscore.limits import Limits

OUTPUT_RATE_HZ = 16_000  # that of the model's features


@dataclass
class Media:
    """The format of a recording and properties of its samples; complete once every block has been read."""

    container: str
    codec: str
    sample_rate_hz: int
    channels: int
    tracks: int  # audio tracks in the file
    track: int  # the decoded one, from 0
    findings: Findings
    duration_s: float = 0.0
    truncated: bool = False
    peak: float = 0.0  # largest magnitude, full scale 1.0
    clipped_share: float = 0.0  # 0 to 1


class Recording:
    """An open recording. ``blocks()`` yields its samples once; ``media`` describes it.

    No length in a header is trusted: samples are decoded block by block until the end of the file, or up to
    a limit.
    """

    def __init__(
        self,
        audio: BinaryIO | AudioArray,
        limits: Limits,
        part: Part = WHOLE,
        workers: WorkerPool | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        """Opens an array, or a binary file that has a file descriptor, to be decoded by one of the workers.

        The workers are by default those of this process. A decoder that is at work at the deadline is ended.
        Raises EmptyFile, UnsupportedSampleRate, LimitExceeded, BadRequest, and as DecoderClient does.
        """
        self._limits = limits
        self._deadline = deadline or Deadline()
        self._part = part
        self._source: SampleSource
        if isinstance(audio, AudioArray):
            self._source = ArraySource(audio)
        else:
            self._source = self._open_file(audio, workers)
        try:
            check_format(self._source, limits, part)
        except BaseException:
            self._source.close()
            raise
        self.media = Media(
            container=self._source.container,
            codec=self._source.codec,
            sample_rate_hz=self._source.sample_rate_hz,
            channels=self._source.channels,
            tracks=self._source.tracks,
            track=self._source.track,
            findings=self._source.findings,
        )

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yields (n,) float32 at 16 kHz, full scale 1.0.

        Raises CorruptAudio when nothing could be decoded, BadRequest when the part lies behind the end,
        InvalidSamples, LimitExceeded, DecoderCrashed, DecoderLost, OutOfTime.
        """
        mono = (downmix(samples, self._part.channel) for samples in self._decoded())
        if self.media.sample_rate_hz == OUTPUT_RATE_HZ:
            yield from mono
            return
        resampler = soxr.ResampleStream(
            self.media.sample_rate_hz, OUTPUT_RATE_HZ, 1, dtype="float32", quality="HQ"
        )
        for samples in mono:
            yield resampler.resample_chunk(samples)
        yield resampler.resample_chunk(np.empty(0, np.float32), last=True)

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_file(self, file: BinaryIO, workers: WorkerPool | None) -> DecoderClient:
        file.seek(0)  # writes what the file's buffer holds
        check_size(os.fstat(file.fileno()).st_size, self._limits)
        return DecoderClient(file, self._limits, workers, self._deadline, self._part.track)

    def _decoded(self) -> Iterator[NDArray[np.float32]]:
        """Yields the part as (n, channels) float32 at its own rate, n from 1, and keeps ``media`` current."""
        media, peaks = self.media, PeakStatistics()
        slicer = PartSlicer(self._part, media.sample_rate_hz)
        broken = None
        while broken is None and not slicer.complete:
            block, broken = self._source.read()
            media.findings = self._source.findings
            if len(block) == 0:
                break
            wanted = slicer.cut(block)
            check_duration(slicer.seen / media.sample_rate_hz, self._limits)
            if len(wanted) == 0:
                continue
            check_samples(wanted, slicer.position, media.sample_rate_hz)
            peaks.add(wanted)
            media.peak, media.clipped_share = peaks.peak, peaks.clipped_share
            media.duration_s = slicer.taken / media.sample_rate_hz
            yield wanted
        self._check_any(slicer, broken)
        media.truncated = not slicer.complete and (
            broken is not None or self._source.findings.incomplete
        )

    def _check_any(self, slicer: PartSlicer, broken: str | None) -> None:
        """Raises CorruptAudio when the file, BadRequest when the part has no samples."""
        if slicer.seen == 0:
            reason = f"no sample could be decoded ({broken})" if broken else "holds no samples"
            raise CorruptAudio(f"The file begins as {self.media.container}, but {reason}.")
        if slicer.taken == 0:
            raise BadRequest(
                f"The recording ends after {slicer.seen / self.media.sample_rate_hz:.3f} s, before the "
                f"requested part begins ({self._part.start_s:.3f} s)."
            )
