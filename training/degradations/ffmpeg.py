"""FFmpeg's codecs and audio filters, in this process by PyAV."""

from collections.abc import Iterable
from fractions import Fraction

import av
import numpy as np
import soxr

from aqscore.model.features import SPEC

RATE = SPEC.sample_rate_hz


def coded(samples: np.ndarray, encoder: str, decoder: str, rate: int, bit_rate: int | None) -> np.ndarray:
    """(n,) float32 at 16 kHz, coded at ``rate`` Hz and ``bit_rate`` bit/s, and decoded; it may be delayed."""
    sent = samples if rate == RATE else soxr.resample(samples, RATE, rate)
    writer = av.CodecContext.create(encoder, "w")
    writer.sample_rate, writer.layout, writer.time_base = rate, "mono", Fraction(1, rate)
    writer.format = writer.codec.audio_formats[0]
    if bit_rate:
        writer.bit_rate = bit_rate
    packets = [*writer.encode(_frame(sent, rate)), *writer.encode(None)]
    reader = av.CodecContext.create(decoder, "r")
    reader.extradata = writer.extradata
    reader.sample_rate, reader.layout = rate, "mono"
    return _samples(frame for packet in (*packets, None) for frame in reader.decode(packet))


def filtered(samples: np.ndarray, name: str, options: str) -> np.ndarray:
    """(n,) float32 at 16 kHz through the audio filter ``name``; it may be delayed."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=RATE, format="fltp", layout="mono", time_base=Fraction(1, RATE))
    effect, sink = graph.add(name, options), graph.add("abuffersink")
    source.link_to(effect)
    effect.link_to(sink)
    graph.configure()
    graph.push(_frame(samples, RATE))
    graph.push(None)
    return _samples(_pulled(graph))


def _pulled(graph: av.filter.Graph) -> Iterable[av.AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.error.EOFError, av.error.BlockingIOError):
            return
        if isinstance(frame, av.AudioFrame):
            yield frame


def _frame(samples: np.ndarray, rate: int) -> av.AudioFrame:
    values = np.ascontiguousarray(samples[None], np.float32)
    frame = av.AudioFrame.from_ndarray(values, format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    return frame


def _samples(frames: Iterable[av.AudioFrame]) -> np.ndarray:
    converter, parts, rate = av.AudioResampler(format="fltp", layout="mono"), [], RATE
    for frame in frames:
        rate = frame.sample_rate
        parts += [converted.to_ndarray()[0] for converted in converter.resample(frame)]
    samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    return samples if rate == RATE else soxr.resample(samples, rate, RATE)
