"""Formats are recognised by content, other content is named, and docs/formats.md lists what is tested."""

import gzip
import io
import re
import shutil
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import av
import numpy as np
import pytest
import soundfile

from aqscore.audio.decoders import ffmpeg, libsndfile
from aqscore.audio.decoders.formats import FORMATS, recognise
from aqscore.audio.decoders.view import FileView
from aqscore.errors import CorruptAudio, LimitExceeded, UnsupportedFormat
from infra.encoders import by_ffmpeg, by_libsndfile
from tests.conftest import ROOT
from tests.unit.audio.decoding import RATE, decoded, frequency, tone

HZ = 440


@dataclass(frozen=True)
class Tried:
    """A kind of file that is decoded here: how it is made, and the names in its report."""

    source: str  # the library or tool that makes it
    arguments: tuple[str, ...]
    container: str
    codec: str
    rate: int = RATE

    @property
    def name(self) -> str:
        return " ".join((self.source, *self.arguments))

    def make(self) -> bytes:
        samples = tone(2, HZ, self.rate)
        if self.source == "libsndfile":
            return by_libsndfile(samples, *self.arguments, rate=self.rate)
        if self.source == "PyAV":
            return by_ffmpeg(samples, *self.arguments, rate=self.rate)
        if shutil.which(self.source) is None:
            pytest.skip(f"{self.source} is not installed")
        wav = by_libsndfile(samples, "WAV", "PCM_16", rate=self.rate)
        before, after = (
            (["-v", "error", "-i", "-"], ["-"]) if self.source == "ffmpeg" else (["-t", "wav", "-"], ["-"])
        )
        command = [self.source, *before, *self.arguments, *after]
        return subprocess.run(command, input=wav, capture_output=True, check=True).stdout


def sndfile(container: str, *codecs: str) -> list[Tried]:
    return [
        Tried("libsndfile", (container, codec), container, codec, 48_000 if codec == "OPUS" else RATE)
        for codec in codecs
    ]


def pyav(container: str, muxer: str, encoders: dict[str, str]) -> list[Tried]:
    return [
        Tried(
            "PyAV",
            (muxer, encoder),
            container,
            codec,
            48_000 if codec == "OPUS" else 8_000 if codec == "ADPCM_G726" else RATE,
        )
        for encoder, codec in encoders.items()
    ]


PCM = {f"pcm_{kind}": f"PCM_{kind.upper()}" for kind in ("s16le", "s24le", "s32le", "f32le")}
TRIED = [
    *sndfile("WAV", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "GSM610"),
    *sndfile("WAV", "IMA_ADPCM", "MS_ADPCM", "G721_32", "NMS_ADPCM_32"),
    *sndfile("WAVEX", "PCM_16", "FLOAT"),
    *sndfile("RF64", "PCM_16", "FLOAT"),
    *sndfile("W64", "PCM_16", "FLOAT"),
    *sndfile("AIFF", "PCM_16", "PCM_24", "FLOAT", "ULAW", "ALAW", "IMA_ADPCM"),
    *sndfile("AU", "PCM_16", "FLOAT", "ULAW", "ALAW", "G721_32", "G723_24", "G723_40"),
    *sndfile("CAF", "PCM_16", "FLOAT", "ALAC_16", "ALAC_24", "ULAW", "ALAW"),
    *sndfile("NIST", "PCM_16", "ULAW", "ALAW"),
    *sndfile("FLAC", "PCM_16", "PCM_24"),
    *sndfile("OGG", "VORBIS", "OPUS"),
    *sndfile("MP3", "MPEG_LAYER_III"),
    *pyav("WAV", "wav", {"g722": "ADPCM_G722", "g726": "ADPCM_G726", "libmp3lame": "MPEG_LAYER_III"}),
    *pyav("OGG", "ogg", {"flac": "FLAC"}),
    *pyav("CAF", "caf", {"adpcm_ima_qt": "ADPCM_IMA_QT"}),
    *pyav("MP4", "ipod", {"aac": "AAC", "alac": "ALAC"}),
    *pyav("MP4", "mp4", {"aac": "AAC", "libopus": "OPUS", "flac": "FLAC", "libmp3lame": "MP3"}),
    *pyav("MP4", "mov", {"aac": "AAC", "pcm_s24be": "PCM_S24BE", "pcm_f32be": "PCM_F32BE"}),
    *pyav("MP4", "mov", {"pcm_mulaw": "PCM_MULAW", "pcm_alaw": "PCM_ALAW", **PCM}),
    *pyav("WEBM", "webm", {"libopus": "OPUS"}),
    *pyav("MATROSKA", "matroska", {"aac": "AAC", "flac": "FLAC", "libmp3lame": "MP3", **PCM}),
    *pyav("ADTS", "adts", {"aac": "AAC"}),
    Tried("ffmpeg", ("-c:a", "libspeex", "-f", "ogg"), "OGG", "SPEEX"),
    Tried("ffmpeg", ("-c:a", "libgsm", "-f", "gsm"), "GSM", "GSM", 8_000),
    Tried("ffmpeg", ("-c:a", "mp2", "-f", "mp2"), "MP3", "MPEG_LAYER_II"),
    Tried("ffmpeg", ("-c:a", "libvorbis", "-f", "webm"), "WEBM", "VORBIS"),
    Tried("ffmpeg", ("-c:a", "pcm_f64le", "-f", "matroska"), "MATROSKA", "PCM_F64LE"),
    Tried("ffmpeg", ("-c:a", "pcm_u8", "-f", "matroska"), "MATROSKA", "PCM_U8"),
    Tried("ffmpeg", ("-c:a", "libmp3lame", "-write_xing", "0", "-f", "mp3"), "MP3", "MPEG_LAYER_III"),
    Tried("sox", ("-t", "amr-nb"), "AMR", "AMR_NB", 8_000),
    Tried("sox", ("-t", "aiff"), "AIFF", "PCM_16"),
]  # fmt: skip


@pytest.mark.parametrize("tried", TRIED, ids=lambda tried: tried.name)
def test_the_tone_in_it_is_decoded(tried):
    samples, media = decoded(tried.make())
    assert (media.container, media.codec) == (tried.container, tried.codec)
    assert media.duration_s == pytest.approx(2, abs=0.15)
    assert not media.truncated
    inside = samples[RATE // 2 : 3 * RATE // 2]
    assert frequency(inside) == pytest.approx(HZ, abs=2)
    assert np.sqrt(np.mean(inside**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.15)


def test_the_list_of_formats_in_the_documentation_is_that_of_the_tests():
    rows = set(re.findall(r"^\| (\w+) \| (\w+) \| ([^|]+) \|", (ROOT / "docs/formats.md").read_text(), re.M))
    tried = {(each.container, each.codec, f"`{each.name}`") for each in TRIED}
    tried |= {("AMR", codec, "random frames") for codec in ("AMR_NB", "AMR_WB")}  # test_decoders.py
    rows -= {row for row in rows if row[0] == "Container"}
    missing, surplus = sorted(tried - rows), sorted(rows - tried)
    assert (missing, surplus) == ([], []), "\n".join(f"| {' | '.join(row)} |" for row in missing)


def test_the_lists_of_demuxers_and_codecs_in_the_documentation_are_those_of_the_code():
    text = (ROOT / "docs/formats.md").read_text()
    demuxers = sorted({each.demuxer for each in FORMATS if each.demuxer})
    lists = {"demuxers": demuxers, "decoders": sorted(ffmpeg.CODECS), "codecs": sorted(libsndfile.CODECS)}
    for name, expected in lists.items():
        found = re.search(rf"^- {name} of \w+: (.*?)\.$", text, re.M | re.S)
        assert sorted(re.findall(r"`([\w]+)`", found[1])) == expected, ", ".join(
            f"`{each}`" for each in expected
        )


def mp3(seconds: float = 2) -> bytes:
    return by_libsndfile(tone(seconds, HZ), "MP3", "MPEG_LAYER_III")


def aac() -> bytes:
    return by_ffmpeg(tone(2, HZ), "adts", "aac")


def without_ftyp(name: bytes) -> bytes:
    """A QuickTime file with another first box of the same size, so that offsets in it hold."""
    data = by_ffmpeg(tone(2, HZ), "mov", "pcm_s16le")
    assert data[4:8] == b"ftyp"
    return data[:4] + name + data[8:]


ID3 = b"ID3\x04\0\0\0\0\x01\0" + bytes(128)
DISGUISED: dict[str, tuple[Callable[[], bytes], str]] = {
    "AAC behind an ID3 tag": (lambda: ID3 + aac(), "ADTS"),
    "AAC cut within a frame": (lambda: aac()[100:], "ADTS"),
    "MP3 behind an ID3 tag": (lambda: ID3 + mp3(), "MP3"),
    "MP3 behind two ID3 tags": (lambda: ID3 + ID3 + mp3(), "MP3"),
    "MP3 behind zeros": (lambda: bytes(70_000) + mp3(), "MP3"),
    "MP3 behind zeros behind a tag": (lambda: ID3 + bytes(5_000) + mp3(), "MP3"),
    "MP3 cut within a frame": (lambda: mp3()[1_000:], "MP3"),
    "MP3 behind other bytes": (lambda: b"HTTP/1.1 200 OK\r\n\r\n" * 20 + mp3(), "MP3"),
    "FLAC behind an ID3 tag": (lambda: ID3 + by_libsndfile(tone(2, HZ), "FLAC", "PCM_16"), "FLAC"),
    "MOV that begins with wide": (lambda: without_ftyp(b"wide"), "MP4"),
    "MOV that begins with free": (lambda: without_ftyp(b"free"), "MP4"),
}


@pytest.mark.parametrize("name", DISGUISED)
def test_a_format_is_recognised_behind_other_bytes(name):
    make, container = DISGUISED[name]
    samples, media = decoded(make())
    assert media.container == container
    assert not media.truncated
    assert media.duration_s == pytest.approx(2, abs=0.25)
    assert frequency(samples[RATE // 2 : 3 * RATE // 2]) == pytest.approx(HZ, abs=2)


@pytest.mark.parametrize(
    ("data", "text", "advice"),
    [
        (gzip.compress(by_libsndfile(tone(1, HZ), "WAV", "PCM_16")), "compressed with gzip", "Decompress it"),
        (b"PK\x03\x04" + bytes(100), "a ZIP archive", "Decompress it"),
        (b"BZh91AY&SY" + bytes(100), "compressed with bzip2", "Decompress it"),
        (b"\xfd7zXZ\0" + bytes(100), "compressed with xz", "Decompress it"),
        (bytes(257) + b"ustar\x0000" + bytes(300), "a tar archive", "Decompress it"),
        (b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "an HTML page", "downloaded"),
        (
            b"\xef\xbb\xbf<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
            "an XML",
            "downloaded",
        ),
        ("Ein Wort gab das andere. 「通話」\n".encode() * 40, "it is text", "no recording"),
        (b'{"score": 3.1}\n', "it is text", "no recording"),
        (b"%PDF-1.7\n" + bytes(100), "a PDF", "no recording"),
        (b"RIFF\x00\x10\x00\x00AVI LIST" + bytes(100), "an AVI video", "Extract the sound"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(100), "Windows Media", "Convert the recording"),
        ((b"G" + bytes(187)) * 10, "an MPEG transport stream", "Extract the sound"),
        (b"\x00" * 10_000, "not recognised", "Convert the recording"),
        (b"#!AMR_MC1.0\n" + bytes(100), "not recognised", "Convert the recording"),
    ],
)
def test_other_content_is_named(data, text, advice):
    with pytest.raises(UnsupportedFormat, match=text) as caught:
        decoded(data)
    assert "can't be read as audio" in caught.value.message
    assert advice in caught.value.advice


@pytest.mark.parametrize(
    "container", ["MAT4", "MAT5", "PAF", "VOC", "IRCAM", "SVX", "AVR", "PVF", "HTK", "SDS", "WVE", "MPC2K"]
)
def test_libsndfile_reads_no_other_containers(container):
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(1, HZ, 8_000), 8_000, format=container)
    with pytest.raises(UnsupportedFormat, match="can't be read as audio"):
        decoded(buffer.getvalue())


def test_random_bytes_are_no_mp3(rng):
    for _ in range(5):
        with pytest.raises(UnsupportedFormat, match="not recognised"):
            decoded(rng.bytes(200_000))


def wav() -> bytes:
    return by_libsndfile(tone(1, HZ), "WAV", "PCM_16")


@pytest.mark.parametrize(
    "data",
    [
        wav()[:12] + bytes(32) + wav()[44:],
        wav()[:12] + b"junk" + wav()[16:],
        wav()[:30],
        wav()[:12],
        wav()[:22] + bytes(2) + wav()[24:],
    ],
    ids=["zeros for a header", "no format", "cut in the format", "cut behind the name", "no channels"],
)
def test_a_corrupt_wav_is_corrupt(data):
    with pytest.raises(CorruptAudio, match="begins as WAV"):
        decoded(data)


def test_a_codec_that_is_not_read_is_named():
    data = wav()
    with pytest.raises(UnsupportedFormat, match="The audio in the WAV file is atrac3"):
        decoded(data[:20] + struct.pack("<H", 0x270) + data[22:])


def test_a_lying_header_is_not_answered_with_a_shorter_recording():
    data = wav()
    with pytest.raises(LimitExceeded, match="1,024 channels") as caught:
        decoded(data[:22] + struct.pack("<H", 1_024) + data[24:])
    assert "Split the recording" not in caught.value.advice
    assert "header is damaged" in caught.value.advice


def test_only_the_first_bytes_are_needed_to_recognise_a_format(tmp_path):
    (tmp_path / "a").write_bytes(wav())
    with (tmp_path / "a").open("rb") as file:
        assert recognise(FileView(file.fileno()))[0].name == "WAV"


def test_pyav_has_every_demuxer_and_decoder_of_the_lists():
    assert {each.demuxer for each in FORMATS if each.demuxer} <= {
        name for names in av.formats_available for name in names.split(",")
    }
    absent = [name for name in ffmpeg.CODECS if name not in av.codecs_available]
    assert not absent
