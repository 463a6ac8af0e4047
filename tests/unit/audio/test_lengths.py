"""All of the sound in a file is decoded, whatever its header states, and missing sound is reported."""

import io
import shutil
import struct
import subprocess

import numpy as np
import pytest
import soundfile

from infra.encoders import by_ffmpeg, by_libsndfile
from tests.recordings import FFMPEG, LIBSNDFILE, amr
from tests.unit.audio.decoding import RATE, decoded, frequency, tone

# Bytes from a place in the header to the size in it: of the file, and of the samples.
HEADERS = {
    "WAV": ("<I", 4, b"data", 4),
    "AIFF": (">I", 4, b"SSND", 4),
    "AU": (">I", 8, b".snd", 8),
    "CAF": (">q", None, b"data", 4),
    "W64": ("<q", 16, b"data", 16),
    "RF64": ("<q", 20, b"ds64", 16),
}


def vbr_mp3(samples: np.ndarray) -> bytes:
    """MP3 of a variable bitrate, with its Xing header."""
    buffer = io.BytesIO()
    options = {"bitrate_mode": "VARIABLE", "compression_level": 0.5, "format": "MP3"}
    with soundfile.SoundFile(buffer, "w", RATE, 1, **options) as file:
        for start in range(0, len(samples), 4096):
            file.write(samples[start : start + 4096])
    data = buffer.getvalue()
    return data[data.index(b"\xff\xf3") :]


def without_xing(data: bytes) -> bytes:
    """The file without its first frame."""
    assert b"Xing" in data[:200] or b"Info" in data[:200]
    return data[data.index(data[:2], 4) :]


def pcm(samples: np.ndarray, container: str, rate: int = RATE) -> bytes:
    return by_libsndfile(samples, container, "PCM_16", rate)


def with_size(data: bytes, container: str, size: int, samples_only: bool = False) -> bytes:
    """The file with another size in its header."""
    kind, whole, chunk, offset = HEADERS[container]
    edited = bytearray(data)
    if whole is not None and not samples_only:
        struct.pack_into(kind, edited, whole, size)
    struct.pack_into(kind, edited, data.index(chunk) + offset, size)
    return bytes(edited)


def stated(data: bytes, container: str) -> int:
    kind, _, chunk, offset = HEADERS[container]
    return int(struct.unpack_from(kind, data, data.index(chunk) + offset)[0])


@pytest.fixture
def long_speech(speech) -> np.ndarray:
    return np.tile(speech, 3)


@pytest.mark.parametrize("pause_s", [0, 3])
def test_a_variable_bitrate_without_its_header_is_decoded_whole(long_speech, pause_s):
    samples = np.concatenate([np.zeros(pause_s * RATE, np.float32), long_speech])
    found, media = decoded(without_xing(vbr_mp3(samples)))
    assert len(found) == pytest.approx(len(samples), abs=3_000)
    assert not media.truncated


def test_joined_mp3_files_are_decoded_one_after_the_other(speech):
    parts = [vbr_mp3(speech), without_xing(vbr_mp3(speech)), vbr_mp3(speech) + b"TAG".ljust(128, b"x")]
    found, media = decoded(b"".join(parts))
    assert len(found) == pytest.approx(3 * len(speech), abs=3_000)
    assert not media.truncated
    third = found[-len(speech) :]
    assert np.corrcoef(third, decoded(parts[0])[0][: len(third)])[0, 1] > 0.99


@pytest.mark.parametrize(
    ("container", "codec"),
    [("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("FLAC", "PCM_16"), ("WAV", "PCM_16")],
)
def test_joined_files_may_differ_in_sample_rate_and_channels(container, codec):
    stereo = np.repeat(tone(2, 880, 32_000)[:, None], 2, axis=1)
    parts = [
        by_libsndfile(tone(2, 440), container, codec),
        by_libsndfile(stereo, container, codec, rate=32_000),
        by_libsndfile(tone(2, 660, 8_000), container, codec, rate=8_000),
    ]
    found, media = decoded(b"".join(parts))
    assert (media.sample_rate_hz, media.channels) == (RATE, 1)
    assert media.duration_s == pytest.approx(6, abs=0.1)
    assert not media.truncated
    for number, hz in enumerate([440, 880, 660]):
        inside = found[round((2 * number + 0.5) * RATE) : round((2 * number + 1.5) * RATE)]
        assert frequency(inside) == pytest.approx(hz, abs=2)
        assert np.sqrt(np.mean(inside**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


def test_links_of_ogg_may_differ_in_codec():
    parts = [by_libsndfile(tone(2, hz), "OGG", codec) for hz, codec in ((440, "OPUS"), (880, "VORBIS"))]
    found, media = decoded(b"".join(parts))
    assert media.duration_s == pytest.approx(4, abs=0.1)
    assert frequency(found[-RATE:]) == pytest.approx(880, abs=2)
    assert not media.truncated


@pytest.mark.parametrize("name", ["m4a", "mov", "aac", "mka", "webm"])
def test_joined_files_of_ffmpegs_formats_are_decoded_whole(name):
    rate = 48_000 if name == "webm" else RATE
    parts = [by_ffmpeg(tone(2, hz, rate), *FFMPEG[name], rate=rate) for hz in (440, 880)]
    found, media = decoded(b"".join(parts))
    assert media.duration_s == pytest.approx(4, abs=0.3)  # AAC pads both ends
    assert frequency(found[-RATE:]) == pytest.approx(880, abs=2)
    assert not media.truncated


def test_joined_amr_files_are_decoded_whole(rng):
    assert decoded(amr(1, rng) + amr(2, rng))[1].duration_s == 3


@pytest.mark.parametrize("codec", ["VORBIS", "OPUS"])
@pytest.mark.parametrize("at_a_page", [False, True])
def test_ogg_without_its_last_page_is_truncated(speech, codec, at_a_page):
    data = by_libsndfile(np.tile(speech, 3), "OGG", codec)
    end = data.rindex(b"OggS") if at_a_page else len(data) // 2
    found, media = decoded(data[:end])
    assert media.truncated
    assert len(found) > 4 * RATE


@pytest.mark.parametrize("name", ["mp3", "flac"])
def test_a_damaged_file_is_decoded_behind_the_damage(speech, name):
    data = bytearray(by_libsndfile(np.tile(speech, 3), *LIBSNDFILE[name]))
    start = len(data) // 3
    data[start : start + 3_000] = b"\x07\x09\x03" * 1_000
    found, media = decoded(bytes(data))
    assert media.truncated
    assert len(found) > 2.5 * len(speech)


def test_the_last_frame_of_mp3_is_missed(speech):
    data = vbr_mp3(speech)
    assert decoded(data[:-20])[1].truncated
    assert not decoded(data)[1].truncated


def test_mp3_in_wav_is_whole(speech):
    data = by_ffmpeg(speech, "wav", "libmp3lame")
    found, media = decoded(data)
    assert (media.container, media.codec) == ("WAV", "MPEG_LAYER_III")
    assert len(found) >= len(speech)
    assert not media.truncated
    assert decoded(data[: len(data) // 2])[1].truncated


def test_a_truncated_rifx_is_noticed():
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(2, 440), RATE, format="WAV", subtype="PCM_16", endian="BIG")
    data = buffer.getvalue()
    assert data.startswith(b"RIFX")
    assert not decoded(data)[1].truncated
    found, media = decoded(data[: len(data) // 2])
    assert media.truncated
    assert len(found) == pytest.approx(RATE, abs=30)


@pytest.mark.parametrize("container", ["WAV", "AIFF", "AU"])
@pytest.mark.parametrize(
    "size", [0x7F000000, 0x7FFFF000, 0x7FFFF024, 0x7FFFFFFF, 0x80000000, 0x80000024, 0xFFFFFFF7, 0xFFFFFFFF]
)
def test_a_placeholder_for_an_unknown_size_states_nothing(container, size):
    data = pcm(tone(1, 440), container)
    if container == "AIFF":  # SoX leaves a placeholder in the number of frames too
        at = data.index(b"COMM") + 10
        data = data[:at] + struct.pack(">I", size // 2) + data[at + 4 :]
    found, media = decoded(with_size(data, container, size))
    assert len(found) == RATE
    assert not media.truncated
    assert (media.findings.unfinished, media.findings.stated_s) == (False, None)


@pytest.mark.parametrize("container", ["CAF", "W64", "RF64"])
def test_a_size_of_minus_one_states_nothing(container):
    found, media = decoded(with_size(pcm(tone(1, 440), container), container, -1))
    assert len(found) == RATE
    assert not media.truncated


@pytest.mark.parametrize("container", HEADERS)
@pytest.mark.parametrize("samples_only", [False, True])
def test_a_recorder_that_was_cut_off_leaves_a_size_of_zero(container, samples_only):
    data = with_size(pcm(tone(1, 440), container), container, 0, samples_only)
    found, media = decoded(data)
    assert len(found) == RATE
    assert media.findings.unfinished
    assert not media.truncated


@pytest.mark.parametrize("container", HEADERS)
def test_a_header_that_states_half_is_mentioned(container):
    data = pcm(tone(2, 440), container)
    overhead = stated(data, container) - 2 * 2 * RATE
    found, media = decoded(with_size(data, container, 2 * RATE + overhead))
    assert len(found) == 2 * RATE
    assert media.findings.stated_s == pytest.approx(1, abs=0.01)
    assert not media.truncated


@pytest.mark.parametrize(
    "tail",
    [
        b"LIST" + struct.pack("<I", 40_000) + bytes(40_000),
        b"LIST" + struct.pack("<I", 40_000) + bytes(20_000),
        b"abcd" + struct.pack("<I", 40_000) + b"\x07\x80" * 20_000,
        bytes(100_000),
        b'{"party": "caller"}\n' * 2_000,
        b"\x01" * 100,
    ],
    ids=["chunk", "chunk that is cut", "unknown chunk", "zeros", "text", "a few bytes"],
)
def test_other_bytes_behind_the_samples_are_no_sound(tail):
    found, media = decoded(pcm(tone(1, 440), "WAV") + tail)
    assert len(found) == RATE
    assert media.findings.stated_s is None
    assert not media.truncated


@pytest.mark.parametrize("total", [0, 16_000, 2**36 - 1])
def test_flac_is_decoded_whatever_its_header_states(total):
    data = bytearray(by_libsndfile(tone(2, 440), "FLAC", "PCM_16"))
    data[21] = data[21] & 0xF0 | total >> 32
    data[22:26] = struct.pack(">I", total & 0xFFFFFFFF)
    found, media = decoded(bytes(data))
    assert len(found) == 2 * RATE
    assert media.truncated is (total > 2 * RATE)
    assert media.findings.stated_s == (1.0 if total == RATE else None)


def test_a_tag_behind_flac_is_no_damage():
    found, media = decoded(by_libsndfile(tone(2, 440), "FLAC", "PCM_16") + b"TAG".ljust(128, b"x"))
    assert (len(found), media.truncated) == (2 * RATE, False)


PIPES = {
    "espeak-ng": ["espeak-ng", "--stdout", "hello there, this is a recording from a pipe"],
    "sox to WAV": ["sox", "-n", "-r", "16k", "-b", "16", "-t", "wav", "-", "synth", "2", "sine", "440"],
    "sox to AIFF": ["sox", "-n", "-r", "16k", "-b", "16", "-t", "aiff", "-", "synth", "2", "sine", "440"],
    "sox to AU": ["sox", "-n", "-r", "16k", "-b", "16", "-t", "au", "-", "synth", "2", "sine", "440"],
    **{
        f"ffmpeg to {kind}": [
            "ffmpeg",
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "sine=440:d=2:r=16000",
            "-f",
            kind,
            "-",
        ]
        for kind in ("wav", "au", "caf", "w64", "flac", "ogg", "mp3", "matroska", "webm")
    },
    "lame": ["lame", "--quiet", "-V4", "-t", "-r", "-s", "16", "-m", "m", "-", "-"],
}


@pytest.mark.parametrize("name", PIPES)
def test_files_of_stream_writers_are_whole(name):
    tool = PIPES[name][0]
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    samples = (tone(2, 440) * 32_767).astype(np.int16).tobytes() if tool == "lame" else b""
    data = subprocess.run(PIPES[name], input=samples, capture_output=True, check=True).stdout
    found, media = decoded(data)
    assert not media.truncated
    assert (media.findings.unfinished, media.findings.stated_s) == (False, None)
    assert len(found) > 1.9 * RATE
