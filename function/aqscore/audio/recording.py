"""A recording to blocks of mono samples at 16 kHz, within limits."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import soxr
from numpy.typing import NDArray

from aqscore.audio.array_source import ArraySource, AudioArray
from aqscore.audio.channels import ChannelStatistics, Mix, NoiseContrast
from aqscore.audio.checks import check_duration, check_format, check_samples, check_size
from aqscore.audio.decoder_client import DecoderClient
from aqscore.audio.downmix import downmix
from aqscore.audio.findings import Findings
from aqscore.audio.part import WHOLE, Part, PartSlicer
from aqscore.audio.peaks import PeakStatistics
from aqscore.audio.source import SampleSource
from aqscore.audio.worker_handle import WorkerPool
from aqscore.deadline import Deadline
from aqscore.errors import BadRequest, CorruptAudio
from aqscore.limits import Limits

OUTPUT_RATE_HZ = 16_000  # that of the model's features
AHEAD_SAMPLES = 1 << 20  # over all channels: 11 s of stereo at 48 kHz


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
    peaks: PeakStatistics = field(default_factory=lambda: PeakStatistics(1))  # of each channel

    @property
    def peak(self) -> float:
        """The largest magnitude, full scale 1.0."""
        return self.peaks.peak(range(self.channels))

    @property
    def clipped_share(self) -> float:
        """The share of the samples that are clipped, 0 to 1."""
        return self.peaks.clipped_share(range(self.channels))


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
            peaks=PeakStatistics(self._source.channels),
        )
        self._compares = self.media.channels > 1 and part.channel is None
        self._statistics = ChannelStatistics(self.media.channels, self.media.sample_rate_hz)
        self._seen = 0  # frames
        self._samples = self._decoded()
        self._ahead: deque[NDArray[np.float32]] = deque()  # decoded by ``first_mix``

    def first_mix(self) -> Mix:
        """Decodes the beginning, and returns the mix that it suggests. Raises as ``blocks`` does."""
        ahead = 0
        while self._compares and ahead < AHEAD_SAMPLES:
            if (samples := next(self._samples, None)) is None:
                break
            self._ahead.append(samples.copy())
            ahead += samples.size
        return self.mix

    @property
    def mix(self) -> Mix:
        """The mix that the samples so far suggest: the part's channel, or those that help."""
        if self._part.channel is not None:
            return Mix((self._part.channel,))
        return self._statistics.mix if self._compares else Mix((0,))

    @property
    def contrast(self) -> NoiseContrast | None:
        """Two channels of which one is much noisier, by the samples so far."""
        return self._statistics.contrast if self._compares else None

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yields (n,) float32 at 16 kHz, full scale 1.0.

        Raises CorruptAudio when nothing could be decoded, BadRequest when the part lies behind the end,
        InvalidSamples, LimitExceeded, DecoderCrashed, DecoderLost, OutOfTime.
        """
        for samples in self.mixes([self.first_mix().channels]):
            yield samples[0]

    def mixes(self, mixes: Sequence[tuple[int, ...]]) -> Iterator[NDArray[np.float32]]:
        """Yields (mixes, n) float32 at 16 kHz: for each mix the mean of its channels, counted from 0.

        Raises as ``blocks`` does.
        """
        resamplers = [
            soxr.ResampleStream(self.media.sample_rate_hz, OUTPUT_RATE_HZ, 1, dtype="float32", quality="HQ")
            for _ in mixes
            if self.media.sample_rate_hz != OUTPUT_RATE_HZ
        ]
        for samples in self._all_samples():
            mixed = downmix(samples, mixes)
            if resamplers:
                yield np.stack([r.resample_chunk(row) for r, row in zip(resamplers, mixed, strict=True)])
            else:
                yield mixed
        if resamplers:
            yield np.stack([r.resample_chunk(np.empty(0, np.float32), last=True) for r in resamplers])

    @property
    def progress(self) -> float:
        """The share of the part that was decoded, 0 to 1; rather too large.

        Sizes tell little where the beginning is silence, and headers lie. No recording is longer than the
        limit.
        """
        seen_s = self._seen / self.media.sample_rate_hz
        longest_s = min(self._part.end_s, self._limits.max_duration_s)
        return min(1.0, max(self._source.progress, seen_s / longest_s))

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

    def _all_samples(self) -> Iterator[NDArray[np.float32]]:
        while self._ahead:
            yield self._ahead.popleft()
        yield from self._samples

    def _decoded(self) -> Iterator[NDArray[np.float32]]:
        """Yields the part as (n, channels) float32 at its own rate, n from 1, and keeps ``media`` current."""
        media = self.media
        slicer = PartSlicer(self._part, media.sample_rate_hz)
        broken = None
        while broken is None and not slicer.complete:
            block, broken = self._source.read()
            media.findings = self._source.findings
            if len(block) == 0:
                break
            wanted = slicer.cut(block)
            self._seen = slicer.seen
            check_duration(slicer.seen / media.sample_rate_hz, self._limits)
            if len(wanted) == 0:
                continue
            check_samples(wanted, slicer.position, media.sample_rate_hz)
            media.peaks.add(wanted)
            if self._compares:
                self._statistics.add(wanted)
            media.duration_s = slicer.taken / media.sample_rate_hz
            yield wanted
        self._check_any(slicer, broken)
        media.truncated = not slicer.complete and (broken is not None or self._source.findings.incomplete)

    def _check_any(self, slicer: PartSlicer, broken: str | None) -> None:
        """Raises CorruptAudio when the file, BadRequest when the part has no samples."""
        if slicer.seen == 0:
            reason = f"no sample could be decoded ({broken})" if broken else "holds no samples"
            raise CorruptAudio(f"The file begins as {self.media.container}, but {reason}.")
        if slicer.taken == 0:
            raise BadRequest(
                f"The recording ends after {slicer.seen / self.media.sample_rate_hz:.3f} s, before the "
                f"requested part begins ({self._part.start_s:.3f} s).",
                advice="Choose an earlier start.",
            )
