"""Encodes samples as recordings in memory, by libsndfile and by FFmpeg: for tests and benchmarks."""

import io
import tempfile

import av
import numpy as np
import soundfile

RATE = 16_000
BLOCK = 4096  # samples written at a time: libsndfile crashes on a long Vorbis recording in one write


def by_libsndfile(samples: np.ndarray, container: str, codec: str, rate: int = RATE) -> bytes:
    """Encodes (n,) or (n, channels) float32 samples; container and codec are named as in soundfile."""
    buffer = io.BytesIO()
    channels = samples[:1].size
    with soundfile.SoundFile(buffer, "w", rate, channels, format=container, subtype=codec) as file:
        for start in range(0, len(samples), BLOCK):
            file.write(samples[start : start + BLOCK])
    return buffer.getvalue()


def by_ffmpeg(samples: np.ndarray, container: str, codec: str, rate: int = RATE, **options: str) -> bytes:
    """Encodes (n,) or (n, channels) float32 samples; container, codec and options are named as in FFmpeg.

    ``options`` go to the container's muxer.
    """
    samples = samples.reshape(len(samples), -1)
    with tempfile.NamedTemporaryFile() as file:  # by name: +faststart opens it a second time
        _write(file.name, samples, container, codec, rate, options)
        return file.read()


def _write(path: str, samples: np.ndarray, container: str, codec: str, rate: int, options: dict) -> None:
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
