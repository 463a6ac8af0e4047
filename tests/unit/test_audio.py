"""audio.py: every format, any rate, caps that hold whatever the header claims, clear refusals."""

import io
import struct

import numpy as np
import pytest
import soundfile

from aqscore.audio.recording import WHOLE, Part, Recording
from aqscore.errors import (
    BadRequest,
    CorruptAudio,
    EmptyFile,
    InvalidSamples,
    LimitExceeded,
    UnsupportedFormat,
    UnsupportedSampleRate,
)
from aqscore.limits import Limits

LIMITS = Limits()


def decode(path, limits=LIMITS, part=WHOLE):
    with path.open("rb") as file, Recording(file, limits, part) as recording:
        samples = np.concatenate(list(recording.blocks()))
        return samples, recording.media


def tone(seconds: float, hz: float = 440.0, rate: int = 16_000) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("WAV", "PCM_16"),
        ("WAV", "PCM_24"),
        ("WAV", "FLOAT"),
        ("WAV", "ULAW"),
        ("WAV", "GSM610"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("MP3", "MPEG_LAYER_III"),
        ("AIFF", "PCM_16"),
        ("CAF", "PCM_16"),
        ("AU", "PCM_16"),
        ("RF64", "PCM_16"),
        ("W64", "PCM_16"),
    ],
)
def test_reads_the_formats_that_libsndfile_reads(recorded, container, codec):
    samples, media = decode(recorded(tone(1.0), f"a.{container.lower()}", format=container, subtype=codec))
    assert (media.container, media.codec) == (container, codec)
    assert media.duration_s == pytest.approx(1.0, abs=0.1)
    assert not media.truncated
    assert len(samples) == pytest.approx(16_000, abs=1_700)
    assert np.sqrt(np.mean(samples[4_000:12_000] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("rate", [4_000, 8_000, 11_025, 16_000, 44_100, 48_000, 96_000, 384_000])
def test_any_sample_rate_comes_out_at_16_khz(recorded, rate):
    samples, media = decode(recorded(tone(2.0, 440, rate), rate=rate))
    assert media.sample_rate_hz == rate
    assert len(samples) == pytest.approx(32_000, abs=2)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    assert spectrum.argmax() * 16_000 / len(samples) == pytest.approx(440, abs=1)


def test_resampling_lets_nothing_above_8_khz_fold_back(recorded):
    samples, _ = decode(recorded(tone(1.0, 8_600, 44_100), rate=44_100))
    assert np.abs(samples[2_000:-2_000]).max() < 1e-4


def test_channels_are_mixed_or_picked(recorded):
    left, right = tone(0.5), -0.5 * tone(0.5)
    path = recorded(np.stack([left, right], axis=1))
    np.testing.assert_allclose(decode(path)[0], (left + right) / 2, atol=1e-4)
    np.testing.assert_allclose(decode(path, part=Part(channel=1))[0], right, atol=1e-4)


def test_sixteen_channels_are_read_and_seventeen_refused(recorded):
    many = np.repeat(tone(0.2)[:, None], 17, axis=1)
    assert decode(recorded(many[:, :16]))[1].channels == 16
    with pytest.raises(LimitExceeded, match="17 channels, the limit is 16"):
        decode(recorded(many))


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.wav"
    path.touch()
    with pytest.raises(EmptyFile, match="0 bytes"):
        decode(path)


def test_text_named_wav_is_refused(tmp_path):
    path = tmp_path / "notes.wav"
    path.write_text("Dear diary, today I renamed a text file.\n" * 50)
    with pytest.raises(UnsupportedFormat, match="can't be read as audio"):
        decode(path)


def test_the_content_decides_and_not_the_name(recorded):
    path = recorded(tone(0.2), "take.wav")
    renamed = path.rename(path.with_suffix(".raw"))
    assert decode(renamed)[1].container == "WAV"


@pytest.mark.parametrize("rate", [1, 3_999, 384_001, 2**31 - 1])
def test_sample_rates_out_of_range_are_refused(tmp_path, rate):
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(0.1), 16_000, format="WAV", subtype="PCM_16")
    data = bytearray(buffer.getvalue())
    data[24:32] = struct.pack("<II", rate, (2 * rate) % 2**32)
    path = tmp_path / "odd.wav"
    path.write_bytes(data)
    with pytest.raises(UnsupportedSampleRate, match="expected 4,000 to 384,000 Hz"):
        decode(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e20])
def test_samples_that_are_no_numbers_are_refused_with_their_place(recorded, value):
    samples = tone(1.0)
    samples[8_000] = value
    with pytest.raises(InvalidSamples, match=r"at 0\.500 s is"):
        decode(recorded(samples, subtype="FLOAT"))


@pytest.mark.parametrize("container", ["WAV", "RF64", "W64", "AIFF", "AU"])
def test_a_truncated_file_of_plain_samples_is_read_as_far_as_it_goes(recorded, container):
    path = recorded(tone(2.0), f"a.{container.lower()}", format=container, subtype="PCM_16")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 32_000])
    samples, media = decode(path)
    assert media.truncated
    assert len(samples) == 16_000


def test_a_truncated_flac_is_read_as_far_as_it_goes(recorded, rng):
    path = recorded(rng.standard_normal(64_000).astype(np.float32) * 0.1, "a.flac")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    samples, media = decode(path)
    assert media.truncated
    assert 16_000 < len(samples) < 48_000


def test_a_truncated_mp3_is_read_as_far_as_it_goes(recorded, rng):
    path = recorded(rng.standard_normal(64_000).astype(np.float32) * 0.1, "a.mp3", format="MP3")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    samples, media = decode(path)
    assert media.truncated
    assert 16_000 < len(samples) < 48_000


def test_a_flac_that_claims_2_to_the_36_frames_is_read_for_what_it_holds(recorded):
    path = recorded(tone(1.0), "a.flac")
    data = bytearray(path.read_bytes())
    assert data[:4] == b"fLaC"
    data[21] |= 0x0F  # STREAMINFO's 36-bit count of samples: its upper 4 bits, then 4 bytes
    data[22:26] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    samples, media = decode(path)
    assert len(samples) == 16_000
    assert media.duration_s == 1.0
    assert media.truncated


def test_a_header_with_nothing_behind_it_is_refused(recorded):
    path = recorded(tone(1.0))
    path.write_bytes(path.read_bytes()[:44])
    with pytest.raises(CorruptAudio, match="no sample"):
        decode(path)


def test_a_streamed_wav_with_an_open_length_is_whole(recorded):
    path = recorded(tone(1.0))
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    samples, media = decode(path)
    assert len(samples) == 16_000
    assert not media.truncated


def test_caps_on_bytes_and_seconds_hold(recorded):
    path = recorded(tone(2.0))
    with pytest.raises(LimitExceeded, match=r"the limit is 1,000\."):
        decode(path, Limits(max_bytes=1_000))
    with pytest.raises(LimitExceeded, match="longer than 1 s"):
        decode(path, Limits(max_duration_s=1.0))


def test_blocks_stay_small_whatever_the_file_expands_to(recorded):
    path = recorded(np.zeros(40 * 16_000, np.float32), "silence.flac")
    with path.open("rb") as file, Recording(file, LIMITS) as recording:
        assert max(len(block) for block in recording.blocks()) <= 1 << 18


def test_clipping_is_runs_at_full_scale(recorded):
    loud = np.clip(tone(1.0) * 4, -1, 1)
    assert decode(recorded(loud))[1].clipped_share > 0.3
    peak = tone(1.0) * 2
    assert decode(recorded(peak, subtype="FLOAT"))[1].clipped_share < 0.05
    assert decode(recorded(tone(1.0)))[1].clipped_share == 0


@pytest.mark.parametrize(("start_s", "end_s"), [(0.5, 1.25), (0.0, 1.0), (1.5, float("inf")), (20.0, 20.25)])
def test_a_part_is_exactly_its_samples(recorded, rng, start_s, end_s):
    whole = (rng.standard_normal(30 * 16_000) * 0.1).astype(np.float32)
    samples, media = decode(recorded(whole, subtype="FLOAT"), part=Part(start_s=start_s, end_s=end_s))
    expected = whole[round(start_s * 16_000) : None if end_s == float("inf") else round(end_s * 16_000)]
    np.testing.assert_array_equal(samples, expected)
    assert media.duration_s == len(expected) / 16_000
    assert not media.truncated


def test_a_part_behind_the_end_is_refused(recorded):
    with pytest.raises(BadRequest, match=r"ends after 1\.000 s"):
        decode(recorded(tone(1.0)), part=Part(start_s=2.0))


def test_a_channel_that_is_not_there_is_refused(recorded):
    with pytest.raises(BadRequest, match="channel 1 is not one of them"):
        decode(recorded(tone(1.0)), part=Part(channel=1))
