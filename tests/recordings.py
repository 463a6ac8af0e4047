"""Recordings in every format that is read, made from samples: by libsndfile, by FFmpeg, by hand."""

import io
import tempfile
from collections.abc import Callable

import av
import numpy as np
import soundfile

RATE = 16_000
# FFmpeg's names of containers and encoders.
FFMPEG: dict[str, tuple[str, str]] = {
    "m4a": ("ipod", "aac"),
    "mp4": ("mp4", "aac"),
    "mov": ("mov", "pcm_s16le"),
    "alac.m4a": ("ipod", "alac"),
    "aac": ("adts", "aac"),
    "webm": ("webm", "libopus"),
    "mka": ("matroska", "flac"),
}
LIBSNDFILE: dict[str, tuple[str, str]] = {
    "wav": ("WAV", "PCM_16"),
    "float.wav": ("WAV", "FLOAT"),
    "gsm.wav": ("WAV", "GSM610"),
    "adpcm.wav": ("WAV", "IMA_ADPCM"),
    "flac": ("FLAC", "PCM_16"),
    "vorbis.ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "aiff": ("AIFF", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "rf64": ("RF64", "PCM_16"),
    "w64": ("W64", "PCM_16"),
}


def by_ffmpeg(samples: np.ndarray, container: str, codec: str, rate: int = RATE, **options: str) -> bytes:
    """(n,) or (n, channels) float32 in a container of FFmpeg's. ``options`` are the container's."""
    samples = samples.reshape(len(samples), -1)
    with tempfile.NamedTemporaryFile() as file:  # by name: +faststart opens it a second time
        _encode(file.name, samples, container, codec, rate, options)
        return file.read()


def _encode(path: str, samples: np.ndarray, container: str, codec: str, rate: int, options: dict) -> None:
    with av.open(path, "w", format=container, container_options={"fflags": "+bitexact"} | options) as output:
        track = output.add_stream(codec, rate=rate, layout="stereo" if samples.shape[1] == 2 else "mono")
        kind = track.codec_context.codec.audio_formats[0]
        if kind.name.startswith("s16"):
            values = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)
        elif kind.name.startswith("s32"):
            values = np.round(samples.astype(np.float64) * (2**31 - 1)).astype(np.int32)
        else:
            values = samples.astype(np.float32)
        track.codec_context.open()
        size = track.codec_context.frame_size or 1024
        for start in range(0, len(values), size):
            block = values[start : start + size]
            array = block.T if kind.is_planar else block.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(array), kind.name, track.layout)
            frame.sample_rate, frame.pts = rate, start
            output.mux(track.encode(frame))
        output.mux(track.encode(None))


def by_libsndfile(samples: np.ndarray, container: str, codec: str, rate: int = RATE) -> bytes:
    """(n,) or (n, channels) float32 in a format of libsndfile's."""
    buffer = io.BytesIO()
    channels = samples[:1].size
    with soundfile.SoundFile(buffer, "w", rate, channels, format=container, subtype=codec) as file:
        for start in range(0, len(samples), 4096):  # libsndfile crashes on long Vorbis written at once
            file.write(samples[start : start + 4096])
    return buffer.getvalue()


def titled(title: str, samples: np.ndarray) -> bytes:
    """A WAV file with a title: what its decoder does with tests/hostile in PYTHONPATH."""
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", RATE, 1, format="WAV") as file:
        file.title = title
        file.write(samples)
    return buffer.getvalue()


def amr(seconds: float, rng: np.random.Generator, wide_band: bool = False, pause_s: float = 0.0) -> bytes:
    """Frames of random bits, which sound like noise, before and behind a pause: nobody offers an encoder.

    RFC 4867, 5.3: a magic number, then for each 20 ms a byte with the frame's type and Q = 1, and its
    bits: type 7 (12.2 kbit/s) has 244, AMR-WB's type 2 (12.65 kbit/s) has 253. A pause is a description of
    its noise (39 or 40 bits) in every eighth frame, and nothing (type 15) in the others.
    """
    magic, kind, size, description = (b"#!AMR-WB\n", 2, 32, 9) if wide_band else (b"#!AMR\n", 7, 31, 8)

    def frame(kind: int, size: int) -> bytes:
        return bytes([kind << 3 | 4]) + rng.bytes(size)

    half = [frame(kind, size) for _ in range(round(seconds * 25))]
    pause = [frame(15, 0) if at % 8 else frame(description, 5) for at in range(round(pause_s * 50))]
    return magic + b"".join(half + pause + half)


def all_formats(samples: np.ndarray, rng: np.random.Generator) -> dict[str, Callable[[], bytes]]:
    """What makes each: a name -> a recording of these (n,) float32 samples at RATE."""
    made: dict[str, Callable[[], bytes]] = {}
    for name, kind in LIBSNDFILE.items():
        made[name] = lambda kind=kind: by_libsndfile(samples, *kind)
    for name, kind in FFMPEG.items():
        rate = 48_000 if kind[1] == "libopus" else RATE
        made[name] = lambda kind=kind, rate=rate: by_ffmpeg(samples, *kind, rate=rate)
    seconds = len(samples) / RATE
    made["amr"] = lambda: amr(seconds, rng, pause_s=0.4)
    made["awb"] = lambda: amr(seconds, rng, wide_band=True, pause_s=0.4)
    return made
