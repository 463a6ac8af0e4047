"""The limits on a recording: bytes, duration, channels, sample rate, decoding time and memory."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """A recording beyond any of these is refused with LimitExceeded or UnsupportedSampleRate."""

    max_bytes: int = 400_000_000  # Lambda's /tmp holds 512 MB by default
    max_duration_s: float = 12 * 3600.0
    max_channels: int = 16
    min_sample_rate_hz: int = 4_000
    max_sample_rate_hz: int = 384_000
    max_decode_s: float = 450.0  # time in the decoder, per recording
    max_memory_bytes: int = 256_000_000  # memory that the decoder worker may add to its own
