"""Files that expand and headers with false claims, in every format: refused beyond the limits."""

import resource
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aqscore.audio.recording import Recording
from aqscore.config import ScorerConfig
from aqscore.errors import LimitExceeded, PermanentError, UnsupportedSampleRate
from aqscore.limits import Limits
from aqscore.pipeline import score_file
from tests.recordings import FFMPEG, LIBSNDFILE, RATE, amr, by_ffmpeg, by_libsndfile

CAP_S = 30
# Encoders and containers round a length by up to that much.
ROUNDING_S = 1
LIMITS = Limits(max_duration_s=CAP_S)
GROWTH_BYTES = 24_000_000  # for a block, a resampler's state and an allocator's reserve
FORMATS = [*LIBSNDFILE, *FFMPEG, "amr", "awb"]


def silence(name: str, seconds: int) -> bytes:
    samples = np.zeros(seconds * RATE, np.float32)
    if name in ("amr", "awb"):  # for which there is no encoder: random bits
        return amr(seconds, np.random.default_rng(1), wide_band=name == "awb")
    if name == "webm":
        return by_ffmpeg(np.zeros(seconds * 48_000, np.float32), *FFMPEG[name], rate=48_000)
    return by_ffmpeg(samples, *FFMPEG[name]) if name in FFMPEG else by_libsndfile(samples, *LIBSNDFILE[name])


@pytest.mark.parametrize("name", FORMATS)
def test_files_that_expand_are_scored_up_to_the_limit(tmp_path, name):
    path = tmp_path / f"a.{name}"
    settings = ScorerConfig(limits=LIMITS)
    path.write_bytes(silence(name, CAP_S - ROUNDING_S))
    with path.open("rb") as file:
        result = score_file(file, settings)
    assert result.media.duration_s == pytest.approx(CAP_S - ROUNDING_S, abs=ROUNDING_S)
    path.write_bytes(silence(name, CAP_S + ROUNDING_S))
    with path.open("rb") as file, pytest.raises(LimitExceeded, match=f"longer than {CAP_S} s"):
        score_file(file, settings)


@pytest.mark.parametrize("name", ["flac", "vorbis.ogg", "opus", "mp3", "m4a", "alac.m4a", "webm", "mka"])
def test_memory_does_not_grow_with_the_duration(tmp_path, workers, name):
    path = tmp_path / f"a.{name}"

    def peaks(seconds: int) -> tuple[int, int]:
        """The peak memory of the decoder worker and of this process so far, in bytes."""
        path.write_bytes(silence(name, seconds))
        with path.open("rb") as file, Recording(file, LIMITS, workers=workers) as recording:
            samples = sum(len(block) for block in recording.blocks())
        assert samples > (seconds - ROUNDING_S) * RATE
        return workers.peak_bytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    before = peaks(1)
    after = peaks(CAP_S - ROUNDING_S)
    assert np.max(np.subtract(after, before)) < GROWTH_BYTES


@pytest.mark.parametrize("rate", [1, 2**31 - 1])
@pytest.mark.parametrize("name", ["wav", "rf64", "w64", "aiff", "caf", "au", "mka"])
def test_absurd_sample_rates_are_refused(tmp_path, name, rate):
    samples = np.zeros(RATE, np.float32)
    if name == "mka":
        data = with_rate_in_matroska(by_ffmpeg(samples, "matroska", "pcm_s16le"), rate)
    else:
        data = by_libsndfile(samples, *LIBSNDFILE[name], rate=rate)
    refuse(tmp_path, data, UnsupportedSampleRate)


def test_a_sample_rate_of_1_hz_is_refused_in_mp4(tmp_path):
    data = by_ffmpeg(np.zeros(RATE, np.float32), *FFMPEG["mov"])
    refuse(
        tmp_path, in_sound_description(data, b"sowt", 24, struct.pack(">I", 1 << 16)), UnsupportedSampleRate
    )


@pytest.mark.parametrize("name", ["wav", "rf64", "w64", "aiff", "caf", "au", "mov"])
def test_more_channels_than_the_limit_are_refused(tmp_path, name):
    if name == "mov":
        data = by_ffmpeg(np.zeros(RATE, np.float32), *FFMPEG[name])
        data = in_sound_description(data, b"sowt", 16, struct.pack(">H", 1024))
    else:
        data = by_libsndfile(np.zeros((16, 1024), np.float32), *LIBSNDFILE[name])
    refuse(tmp_path, data, LimitExceeded)


# name -> the offset of a count of samples or bytes in its header, and the largest count that fits there.
COUNTS: dict[str, Callable[[bytes], tuple[int, bytes]]] = {
    "flac": lambda data: (22, b"\xff" * 4),
    "wav": lambda data: (data.index(b"data") + 4, b"\xfe\xff\xff\xff"),
    "rf64": lambda data: (data.index(b"ds64") + 16, b"\xff" * 7 + b"\x7f"),
    "w64": lambda data: (data.index(b"data") + 16, b"\xff" * 7 + b"\x7f"),
    "aiff": lambda data: (data.index(b"COMM") + 10, b"\xff" * 4),
    "caf": lambda data: (data.index(b"data") + 4, b"\x7f" + b"\xff" * 7),
    "au": lambda data: (8, b"\xfe\xff\xff\xff"),
    "m4a": lambda data: (data.index(b"stts") + 12, b"\xff" * 4),
    "mp4": lambda data: (data.index(b"stsz") + 12, b"\xff" * 4),
    "mov": lambda data: (data.index(b"mdhd") + 16, b"\xff" * 4),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_false_count_is_not_trusted(tmp_path, name):
    data = bytearray(silence(name, 2))
    at, count = COUNTS[name](bytes(data))
    data[at : at + len(count)] = count
    path = tmp_path / f"a.{name}"
    path.write_bytes(data)
    with path.open("rb") as file:
        try:
            result = score_file(file, ScorerConfig(limits=LIMITS))
        except PermanentError:
            return
        assert result.media.duration_s <= 2.1


def refuse(folder: Path, data: bytes, error: type[PermanentError]) -> None:
    path = folder / "false"
    path.write_bytes(data)
    with path.open("rb") as file, pytest.raises(error):
        Recording(file, LIMITS)


def in_sound_description(data: bytes, codec: bytes, at: int, value: bytes) -> bytes:
    """The file with another value ``at`` bytes behind the codec's name (ISO/IEC 14496-12, 12.2.3)."""
    at += data.index(codec) + 4
    return data[:at] + value + data[at + len(value) :]


def with_rate_in_matroska(data: bytes, rate: int) -> bytes:
    """The file with another SamplingFrequency (RFC 9559, 5.1.4.1.29.1), a float of eight bytes."""
    before = b"\xb5\x88" + struct.pack(">d", RATE)
    assert data.count(before) == 1
    return data.replace(before, b"\xb5\x88" + struct.pack(">d", rate))
