"""Recording: any format and rate, limits that hold whatever a header claims, clear errors."""

import io
import struct

import numpy as np
import pytest
import soundfile

from aqscore.audio.array_source import AudioArray
from aqscore.audio.part import WHOLE, Part
from aqscore.audio.recording import OUTPUT_RATE_HZ, Recording
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
from aqscore.model.features import SPEC

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


def test_the_output_rate_is_that_of_the_features():
    assert SPEC.sample_rate_hz == OUTPUT_RATE_HZ


def test_resampling_lets_nothing_above_8_khz_fold_back(recorded):
    samples, _ = decode(recorded(tone(1.0, 8_600, 44_100), rate=44_100))
    assert np.abs(samples[2_000:-2_000]).max() < 1e-4


def test_channels_are_mixed_or_picked(recorded):
    left, right = tone(0.5), -0.2 * tone(0.5)
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
def test_invalid_samples_are_refused_with_their_time(recorded, value):
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


def test_a_flac_that_claims_2_to_the_36_frames_is_read_to_its_end(recorded):
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


def test_a_header_without_samples_is_refused(recorded):
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


def test_limits_of_bytes_and_duration_hold(recorded):
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
    with pytest.raises(BadRequest, match="channel 2 is not one of them"):
        decode(recorded(tone(1.0)), part=Part(channel=1))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_array_gives_the_blocks_of_its_file(recorded, rng, dtype, channels):
    samples = (0.1 * rng.standard_normal((300_000, channels))).astype(dtype)
    path = recorded(samples.astype(np.float32), rate=44_100, subtype="FLOAT")
    expected, of_file = decode(path)
    with Recording(AudioArray(samples if channels > 1 else samples[:, 0], 44_100), LIMITS) as recording:
        np.testing.assert_allclose(np.concatenate(list(recording.blocks())), expected, atol=1e-6)
    media = recording.media
    assert (media.container, media.codec, media.truncated) == ("ARRAY", "FLOAT", False)
    assert (media.sample_rate_hz, media.channels) == (44_100, channels)
    assert (media.duration_s, media.peak) == (of_file.duration_s, pytest.approx(of_file.peak))


def test_an_array_is_left_as_it_is():
    samples = tone(1.0)
    samples.flags.writeable = False
    with Recording(AudioArray(samples, 16_000), LIMITS, Part(channel=0, start_s=0.5)) as recording:
        for block in recording.blocks():
            block *= 0
    assert samples.any()


def test_limits_hold_for_arrays():
    many = np.repeat(tone(0.2)[:, None], 17, axis=1)
    with pytest.raises(LimitExceeded, match="17 channels, the limit is 16"):
        Recording(AudioArray(many, 16_000), LIMITS)
    with pytest.raises(UnsupportedSampleRate, match="1,000 Hz"):
        Recording(AudioArray(tone(1.0), 1_000), LIMITS)
    with (
        Recording(AudioArray(tone(2.0), 16_000), Limits(max_duration_s=1.0)) as recording,
        pytest.raises(LimitExceeded, match="longer than 1 s"),
    ):
        list(recording.blocks())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_invalid_samples_of_an_array_are_refused_with_their_time(value):
    samples = tone(1.0).astype(np.float64)
    samples[8_000] = value
    with (
        Recording(AudioArray(samples, 16_000), LIMITS) as recording,
        pytest.raises(InvalidSamples, match=r"at 0\.500 s is"),
    ):
        list(recording.blocks())
