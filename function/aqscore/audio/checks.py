"""Checks of a recording against the limits: bytes, format, duration, values of samples."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.part import Part
from aqscore.audio.source import SampleSource
from aqscore.errors import BadRequest, EmptyFile, InvalidSamples, LimitExceeded, UnsupportedSampleRate
from aqscore.limits import Limits

MANY_CHANNELS_ADVICE = (
    "Export the channels to score as a file of their own. If the recording has fewer, its header is damaged: "
    "export it again."
)
MAX_SAMPLE = 1e9  # full scale is 1; some programs write floats scaled as 32-bit integers


def check_size(size_bytes: int, limits: Limits) -> None:
    """Raises EmptyFile or LimitExceeded."""
    if size_bytes == 0:
        raise EmptyFile("The file is empty (0 bytes), expected a recording.")
    if size_bytes > limits.max_bytes:
        raise LimitExceeded(f"The file has {size_bytes:,} bytes, the limit is {limits.max_bytes:,}.")


def check_format(source: SampleSource, limits: Limits, part: Part) -> None:
    """Raises UnsupportedSampleRate, LimitExceeded, or BadRequest for a channel that isn't there."""
    if not limits.min_sample_rate_hz <= source.sample_rate_hz <= limits.max_sample_rate_hz:
        raise UnsupportedSampleRate(
            f"The sample rate is {source.sample_rate_hz:,} Hz, expected "
            f"{limits.min_sample_rate_hz:,} to {limits.max_sample_rate_hz:,} Hz."
        )
    if source.channels > limits.max_channels:
        raise LimitExceeded(
            f"The recording has {source.channels:,} channels, the limit is {limits.max_channels}.",
            advice=MANY_CHANNELS_ADVICE,
        )
    if part.channel is not None and not 0 <= part.channel < source.channels:
        have = f"{source.channels} channel" + ("" if source.channels == 1 else "s")
        raise BadRequest(
            f"The recording has {have}, channel {part.channel + 1} is not one of them.",
            advice="Choose a channel that it has, or mix.",
        )


def check_duration(duration_s: float, limits: Limits) -> None:
    """Raises LimitExceeded."""
    if duration_s > limits.max_duration_s:
        raise LimitExceeded(f"The recording is longer than {limits.max_duration_s:,g} s, which is the limit.")


def check_samples(samples: NDArray[Any], start_frame: int, sample_rate_hz: int) -> None:
    """Raises InvalidSamples for NaN, infinity or absurd values; (n, channels) samples from that frame on."""
    with np.errstate(invalid="ignore"):
        bad = ~(np.abs(samples) <= MAX_SAMPLE)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise InvalidSamples(
            f"The sample at {(start_frame + row) / sample_rate_hz:.3f} s is {samples[row, column]}, "
            "expected finite numbers with full scale at 1."
        )
