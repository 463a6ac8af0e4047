"""Bytes to blocks of 16 kHz mono samples, under caps."""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import soxr

from aqscore.audio.client import Decoding
from aqscore.errors import (
    BadRequest,
    CorruptAudio,
    EmptyFile,
    InvalidSamples,
    LimitExceeded,
    UnsupportedSampleRate,
)
from aqscore.limits import Limits
from aqscore.model.features import SPEC

LARGEST_SAMPLE = 1e9  # full scale is 1; some programs write floats scaled as 32-bit integers
UNKNOWN_LENGTH = 2**48  # libsndfile says 2^63 - 1 when a stream doesn't tell; no honest file has 2^48
# Full scale in 16 bits is 32767/32768; two such samples in a row are taken for clipping.
FULL_SCALE = 0.9999
# Where headers announce the file's size: at which byte, in how many, in which order, and how many bytes more
# there are. libsndfile clamps its count of such files to what is there, so the count can't tell.
SIZES = {
    b"RIFF": (4, 4, "little", 8),
    b"FORM": (4, 4, "big", 8),
    b"RF64": (20, 8, "little", 8),
    b"riff": (16, 8, "little", 0),  # W64
    b".snd": (8, 4, "big", 24),
}
# What a header says when its writer could not go back and fill the size in.
PLACEHOLDER_SIZES = (0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@dataclass
class Media:
    """What the file is, and what its samples showed; complete once every block has been read."""

    container: str
    codec: str
    sample_rate_hz: int
    channels: int
    duration_s: float = 0.0
    truncated: bool = False
    peak: float = 0.0
    clipped_share: float = 0.0


@dataclass(frozen=True)
class Part:
    """What of a recording is wanted: one channel or the mix of all, from ``start_s`` to ``end_s``."""

    channel: int | None = None
    start_s: float = 0.0
    end_s: float = math.inf


WHOLE = Part()


@dataclass(frozen=True)
class AudioArray:
    """Decoded samples: float, (n,) or (n, channels), full scale 1.0."""

    samples: np.ndarray
    sample_rate_hz: int


def open_recording(audio: BinaryIO | AudioArray, limits: Limits, part: Part = WHOLE) -> "Recording":
    """A Recording of an open file or of an array; raises as Recording does."""
    if isinstance(audio, AudioArray):
        return Recording.of_array(audio, limits, part)
    return Recording(audio, limits, part)


class Recording:
    """An open recording. ``blocks()`` yields its samples once; ``media`` describes it.

    Nothing that a header says about length is believed: samples are decoded block by block until the
    decoder has no more, or a cap is reached.
    """

    def __init__(self, file: BinaryIO, limits: Limits, part: Part = WHOLE) -> None:
        """Opens a binary file that has a file descriptor.

        Raises EmptyFile, UnsupportedSampleRate, LimitExceeded, BadRequest, and as aqscore.audio.client does.
        """
        self._limits = limits
        self._part = part
        file.seek(0)
        self._size = os.fstat(file.fileno()).st_size
        if self._size == 0:
            raise EmptyFile("The file is empty (0 bytes), expected a recording.")
        if self._size > limits.max_bytes:
            raise LimitExceeded(f"The file has {self._size:,} bytes, the limit is {limits.max_bytes:,}.")
        self._header = os.pread(file.fileno(), 28, 0)
        self._decoder = Decoding(file.fileno(), limits)
        try:
            self.media = Media(
                container=self._decoder.container,
                codec=self._decoder.codec,
                sample_rate_hz=self._decoder.sample_rate_hz,
                channels=self._decoder.channels,
            )
            self._check_format()
        except BaseException:
            self._decoder.close()
            raise

    def blocks(self) -> Iterator[np.ndarray]:
        """Yields (n,) float32 at 16 kHz, full scale 1.0.

        Raises CorruptAudio when nothing could be decoded, BadRequest when the part lies behind the end,
        InvalidSamples, LimitExceeded, DecoderCrashed, DecoderLost.
        """
        resampler = None
        if self.media.sample_rate_hz != SPEC.sample_rate_hz:
            resampler = soxr.ResampleStream(
                self.media.sample_rate_hz, SPEC.sample_rate_hz, 1, dtype="float32", quality="HQ"
            )
        for samples in self._decoded():
            channel = self._part.channel
            mono = samples.mean(axis=1) if channel is None else samples[:, channel].copy()
            yield mono if resampler is None else resampler.resample_chunk(mono)
        if resampler is not None:
            yield resampler.resample_chunk(np.empty(0, np.float32), last=True)

    def close(self) -> None:
        self._decoder.close()

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _check_format(self) -> None:
        media, limits = self.media, self._limits
        if not limits.min_sample_rate_hz <= media.sample_rate_hz <= limits.max_sample_rate_hz:
            raise UnsupportedSampleRate(
                f"The sample rate is {media.sample_rate_hz:,} Hz, expected "
                f"{limits.min_sample_rate_hz:,} to {limits.max_sample_rate_hz:,} Hz."
            )
        if media.channels > limits.max_channels:
            raise LimitExceeded(
                f"The file has {media.channels} channels, the limit is {limits.max_channels}."
            )
        channel = self._part.channel
        if channel is not None and not 0 <= channel < media.channels:
            raise BadRequest(f"The file has {media.channels} channels, channel {channel} is not one of them.")

    def _decoded(self) -> Iterator[np.ndarray]:
        """Yields (n, channels) float32 as decoded, and keeps ``media`` up to date."""
        media = self.media
        claimed = self._decoder.claimed_frames
        cap, first, stop = (
            seconds * media.sample_rate_hz
            for seconds in (self._limits.max_duration_s, self._part.start_s, self._part.end_s)
        )
        count = wanted_count = clipped = 0
        broken = None
        while broken is None and count < stop:
            samples, broken = self._decoder.read()
            if broken and count + len(samples) == 0:
                raise CorruptAudio(
                    f"The file begins as {media.container}, but no sample could be decoded ({broken})."
                )
            if len(samples) == 0:
                break
            wanted = samples[round(max(first - count, 0)) : round(min(stop - count, len(samples)))]
            count += len(samples)
            if count > cap:
                raise LimitExceeded(
                    f"The recording is longer than {self._limits.max_duration_s:,.0f} s, which is the limit."
                )
            if len(wanted) == 0:
                continue
            self._check_samples(wanted, max(first, count - len(samples)))
            loud = np.abs(wanted)
            media.peak = max(media.peak, float(loud.max()))
            full = loud >= FULL_SCALE
            clipped += int(np.count_nonzero(full[1:] & full[:-1]))
            wanted_count += len(wanted)
            media.duration_s = wanted_count / media.sample_rate_hz
            media.clipped_share = clipped / (wanted_count * media.channels)
            yield wanted
        if count == 0:
            raise CorruptAudio(f"The file begins as {media.container}, but holds no samples.")
        if wanted_count == 0:
            raise BadRequest(
                f"The recording ends after {count / media.sample_rate_hz:.3f} s, before the part that was "
                f"asked for begins ({self._part.start_s:.3f} s)."
            )
        if count < stop and (broken or (claimed and count < claimed < UNKNOWN_LENGTH) or self._cut_short()):
            media.truncated = True

    def _check_samples(self, samples: np.ndarray, offset: float) -> None:
        with np.errstate(invalid="ignore"):
            bad = ~(np.abs(samples) <= LARGEST_SAMPLE)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise InvalidSamples(
                f"The sample at {(offset + row) / self.media.sample_rate_hz:.3f} s is "
                f"{samples[row, column]}, expected finite numbers with full scale at 1."
            )

    def _cut_short(self) -> bool:
        """Whether the header announces more bytes than the file has."""
        if self._header[:4] not in SIZES:
            return False
        at, length, order, more = SIZES[self._header[:4]]
        announced = int.from_bytes(self._header[at : at + length], order)
        if announced in PLACEHOLDER_SIZES or announced >= UNKNOWN_LENGTH:
            return False
        return announced + more > self._size + 1
