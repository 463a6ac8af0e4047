"""The decoders: FFmpeg reads the formats that libsndfile lacks, and no others."""

import io
import sys

import av
import numpy as np
import pytest

from aqscore.audio.decoders import open_decoder
from aqscore.audio.decoders.base import DecoderError
from aqscore.audio.part import WHOLE, Part
from aqscore.audio.recording import Media, Recording
from aqscore.audio.worker_handle import WorkerPool
from aqscore.errors import CorruptAudio, UnsupportedFormat
from aqscore.limits import Limits
from tests.recordings import FFMPEG, LIBSNDFILE, RATE, amr, by_ffmpeg, by_libsndfile

LIMITS = Limits()
SECONDS = 2
TONE_HZ = 440


@pytest.fixture
def decode(tmp_path):
    """Decodes the bytes of a file, in new workers if given; returns the samples and the format."""

    def decode(
        data: bytes, part: Part = WHOLE, workers: WorkerPool | None = None
    ) -> tuple[np.ndarray, Media]:
        path = tmp_path / "recording"
        path.write_bytes(data)
        with path.open("rb") as file, Recording(file, LIMITS, part, workers) as recording:
            samples = np.concatenate(list(recording.blocks()))
            return samples, recording.media

    return decode


@pytest.fixture(scope="module")
def tone() -> np.ndarray:
    times = np.arange(SECONDS * RATE) / RATE
    return (0.5 * np.sin(2 * np.pi * TONE_HZ * times)).astype(np.float32)


def frequency(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return spectrum.argmax() * RATE / len(samples)


@pytest.mark.parametrize(
    ("name", "container", "codec"),
    [
        ("m4a", "MP4", "AAC"),
        ("mp4", "MP4", "AAC"),
        ("mov", "MP4", "PCM_S16LE"),
        ("alac.m4a", "MP4", "ALAC"),
        ("aac", "ADTS", "AAC"),
        ("webm", "WEBM", "OPUS"),
        ("mka", "MATROSKA", "FLAC"),
    ],
)
def test_ffmpeg_reads_what_libsndfile_lacks(decode, workers, tone, name, container, codec):
    if codec == "OPUS":  # which has its own sample rates
        data, rate = by_ffmpeg(np.repeat(tone, 3), *FFMPEG[name], rate=48_000), 48_000
    else:
        data, rate = by_ffmpeg(tone, *FFMPEG[name]), RATE
    samples, media = decode(data, workers=workers)
    assert (media.container, media.codec, media.sample_rate_hz) == (container, codec, rate)
    assert media.duration_s == pytest.approx(SECONDS, abs=0.15)
    assert not media.truncated
    inside = samples[4_000:28_000]
    assert np.sqrt(np.mean(inside**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)
    assert frequency(inside) == pytest.approx(TONE_HZ, abs=2)
    assert workers.task.ffmpeg


@pytest.mark.parametrize(("wide_band", "codec", "rate"), [(False, "AMR_NB", 8_000), (True, "AMR_WB", 16_000)])
def test_amr_is_read(decode, rng, wide_band, codec, rate):
    samples, media = decode(amr(SECONDS, rng, wide_band))
    assert (media.container, media.codec, media.sample_rate_hz) == ("AMR", codec, rate)
    assert media.duration_s == SECONDS
    assert np.sqrt(np.mean(samples**2)) > 0.01
    assert not media.truncated


@pytest.mark.parametrize("wide_band", [False, True])
def test_amr_is_silent_where_nothing_was_transmitted(decode, rng, wide_band):
    samples, media = decode(amr(1, rng, wide_band, pause_s=1))
    assert media.duration_s == 2
    assert not media.truncated
    assert np.abs(samples[9_000:23_000]).max() < 1e-3
    assert np.abs(samples[26_000:]).max() > 0.01


def test_channels_are_mixed_or_picked(decode, tone):
    data = by_ffmpeg(np.stack([tone, 0.5 * tone], axis=1), "ipod", "alac")
    np.testing.assert_allclose(decode(data)[0], 0.75 * tone, atol=1e-4)
    np.testing.assert_allclose(decode(data, part=Part(channel=1))[0], 0.5 * tone, atol=1e-4)


def test_a_part_is_exactly_its_samples(decode, tone):
    samples, media = decode(by_ffmpeg(tone, "mov", "pcm_s16le"), part=Part(start_s=0.5, end_s=1.25))
    np.testing.assert_allclose(samples, tone[8_000:20_000], atol=1e-4)
    assert not media.truncated


@pytest.mark.parametrize("name", ["m4a", "aac", "webm", "mka", "amr", "awb"])
def test_a_truncated_file_is_read_as_far_as_it_goes(decode, tone, rng, name):
    if name in ("amr", "awb"):
        data = amr(SECONDS, rng, name == "awb")
    elif name == "webm":
        data = by_ffmpeg(np.repeat(tone, 3), *FFMPEG[name], rate=48_000)
    else:
        options = {"movflags": "+faststart"} if name == "m4a" else {}
        data = by_ffmpeg(tone, *FFMPEG[name], **options)
    samples, media = decode(data[: len(data) // 2])
    assert media.truncated
    assert 0.3 * RATE < len(samples) < 1.2 * RATE


def test_an_unfinished_recording_is_refused_with_the_missing_part(decode, tone):
    data = by_ffmpeg(tone, "ipod", "aac")
    with pytest.raises(CorruptAudio, match=r"begins as MP4, but can't be read \(moov atom not found\)"):
        decode(data[: len(data) // 2])


def test_only_the_sound_of_a_video_is_decoded(decode, tone):
    samples, media = decode(video(tone))
    assert (media.container, media.codec) == ("MP4", "AAC")
    assert frequency(samples) == pytest.approx(TONE_HZ, abs=2)


def test_a_video_without_sound_is_refused(decode):
    with pytest.raises(UnsupportedFormat, match="The MP4 file has no audio track"):
        decode(video(None))


@pytest.mark.parametrize(("container", "codec"), [("mp4", "ac3"), ("matroska", "eac3"), ("matroska", "mp2")])
def test_codecs_that_are_not_on_the_list_are_not_opened(decode, tone, container, codec):
    with pytest.raises(UnsupportedFormat, match=f"audio in the M.* file is {codec}"):
        decode(by_ffmpeg(np.resize(tone, 96_000), container, codec, rate=48_000))


@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 49170 RTP/AVP 0\n",
        b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>",
    ],
    ids=["hls", "concat", "sdp", "dash"],
)
def test_playlists_never_reach_ffmpeg(tmp_path, monkeypatch, data):
    path = tmp_path / "playlist.m4a"
    path.write_bytes(data * 20)
    monkeypatch.setattr(av, "open", lambda *_, **__: pytest.fail("FFmpeg opened it."))
    with path.open("rb") as file, pytest.raises(DecoderError, match="can't be read as audio"):
        open_decoder(file.fileno())


@pytest.mark.parametrize("name", sorted(LIBSNDFILE))
def test_ffmpeg_is_not_loaded_for_formats_of_libsndfile(decode, workers, tone, name):
    samples, _ = decode(by_libsndfile(tone, *LIBSNDFILE[name]), workers=workers)
    assert len(samples) > RATE
    assert not workers.task.ffmpeg


def test_without_pyav_the_advice_is_to_install_it(tone, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    path = tmp_path / "a.m4a"
    path.write_bytes(by_ffmpeg(tone, "ipod", "aac"))
    with (
        path.open("rb") as file,
        pytest.raises(
            DecoderError, match="begins as MP4, and the decoder for it .PyAV. is not installed"
        ) as caught,
    ):
        open_decoder(file.fileno())
    assert caught.value.error_type == UnsupportedFormat.type
    assert "pip install 'aqscore[formats]'" in caught.value.advice


def video(sound: np.ndarray | None) -> bytes:
    """Half a second of a black picture, with the sound if there is any."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        picture = output.add_stream("libx264", rate=10)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        track = output.add_stream("aac", rate=RATE, layout="mono") if sound is not None else None
        for _ in range(5):
            output.mux(picture.encode(av.VideoFrame(64, 64, "yuv420p")))
        output.mux(picture.encode(None))
        if track is not None:
            for start in range(0, len(sound), 1024):
                frame = av.AudioFrame.from_ndarray(sound[None, start : start + 1024], "fltp", "mono")
                frame.sample_rate, frame.pts = RATE, start
                output.mux(track.encode(frame))
            output.mux(track.encode(None))
    return buffer.getvalue()
