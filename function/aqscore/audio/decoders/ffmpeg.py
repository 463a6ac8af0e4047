"""The decoder for M4A, MP4, MOV, 3GP, WebM, Matroska, AAC and AMR, with FFmpeg through PyAV.

FFmpeg reads hundreds of formats, and each adds attack surface. Therefore its demuxer is chosen here, by the
file's first bytes; the codecs are a short list; and it opens nothing but the file: no URL, no playlist, no
reference to another file.
"""

import logging
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.decoders.base import DecoderError, UnknownFormat


@dataclass(frozen=True)
class Container:
    """A container format: its name in reports, and FFmpeg's demuxer for it."""

    name: str
    demuxer: str
    states_length: bool = True


MP4, WEBM, MATROSKA, ADTS, AMR = (
    Container("MP4", "mov"),
    Container("WEBM", "matroska"),
    Container("MATROSKA", "matroska"),
    Container("ADTS", "aac", states_length=False),  # FFmpeg estimates the lengths of these two
    Container("AMR", "amr", states_length=False),
)
CODECS = (
    "aac", "alac", "amrnb", "amrwb", "flac", "libopus", "mp3", "mp3float", "opus", "pcm_alaw", "pcm_mulaw",
    "pcm_s16be", "pcm_s16le", "vorbis",
)  # fmt: skip
# AMR's frame types below this number are speech; the others describe pauses (table 1 of 3GPP TS 26.101 and of
# TS 26.201). Telephones play comfort noise there. FFmpeg doesn't decode them: here they are silence.
SPEECH_TYPES = {"amrnb": 8, "amrwb": 9}
AMR_FRAME_S = 0.02
# Encoders pad the last frame, and containers round to their own clocks.
PADDING_S = 0.1
HEAD_BYTES = 64  # from which the container is recognised
NOT_INSTALLED = "Convert it to WAV, FLAC, MP3 or Ogg, or install the decoder: pip install 'aqscore[formats]'."


def container_of(head: bytes) -> Container | None:
    """The container of a file with these first bytes; None for any other."""
    if head[4:8] == b"ftyp":  # ISO/IEC 14496-12, 4.3
        return MP4
    if head.startswith(b"\x1aE\xdf\xa3"):  # RFC 8794, 11.2.1
        return WEBM if b"webm" in head else MATROSKA
    if head.startswith((b"#!AMR\n", b"#!AMR-WB\n")):  # RFC 4867, 5.1 and 5.2
        return AMR
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:  # ISO/IEC 13818-7, 6.2: layer 0
        return ADTS
    return None


class FfmpegDecoder:
    """The first audio track of a file."""

    def __init__(self, descriptor: int) -> None:
        """Raises UnknownFormat, DecoderError or MemoryError."""
        os.lseek(descriptor, 0, os.SEEK_SET)
        container = container_of(os.read(descriptor, HEAD_BYTES))
        if container is None:
            raise UnknownFormat("no container of this decoder")
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            import av  # takes 60 ms and 25 MB: only for these files
        except ImportError:
            text = f"The file begins as {container.name}, and the decoder for it (PyAV) is not installed."
            raise DecoderError("unsupported_format", text, NOT_INSTALLED) from None

        logging.getLogger("libav").addHandler(logging.NullHandler())
        av.logging.set_level(av.logging.ERROR)  # or errors have no text
        self._states_length = container.states_length
        self.container = container.name
        self._errors = (av.FFmpegError, ValueError)
        try:
            self._input = av.open(
                open(descriptor, "rb", buffering=0, closefd=False),  # noqa: SIM115, PTH123
                format=container.demuxer,
                container_options={
                    "protocol_whitelist": "",
                    "codec_whitelist": ",".join(CODECS),
                },
                io_open=_refuse_to_open,
            )
        except MemoryError:
            raise
        except self._errors as error:
            raise self._corrupt(_reason(error)) from None
        track = next(iter(self._input.streams.audio), None)
        if track is None:
            raise DecoderError("unsupported_format", f"The {self.container} file has no audio track.")
        context = track.codec_context
        if context is None or context.codec.name not in CODECS:
            codec = "an unknown codec" if context is None else context.codec.name
            raise DecoderError("unsupported_format", f"The audio in the {self.container} file is {codec}.")
        context.thread_count = 1
        self._codec_name: str = context.codec.name
        self.codec: str = track.codec.canonical_name.upper()
        self.sample_rate_hz: int = context.sample_rate
        self.channels: int = context.channels
        if self.sample_rate_hz < 1 or self.channels < 1:
            raise self._corrupt("its audio track has no channels or no sample rate")
        self.claimed_frames = self._claimed(track)
        self._packets = self._input.demux(track)
        self._waiting: list[NDArray[np.float32]] = []

    def read(self, out: NDArray[np.float32]) -> tuple[int, str | None]:
        """As Decoder.read."""
        filled = 0
        try:
            while filled < len(out):
                if not self._waiting:
                    packet = next(self._packets, None)
                    if packet is None:
                        return filled, None
                    self._waiting = self._pause(packet) or [self._samples(frame) for frame in packet.decode()]
                    continue
                samples = self._waiting[0][: len(out) - filled]
                out[filled : filled + len(samples)] = samples
                filled += len(samples)
                if len(samples) == len(self._waiting[0]):
                    del self._waiting[0]
                else:
                    self._waiting[0] = self._waiting[0][len(samples) :]
        except MemoryError:
            raise
        except self._errors as error:
            return filled, _reason(error)
        return filled, None

    def close(self) -> None:
        self._input.close()

    def _corrupt(self, reason: str) -> DecoderError:
        text = f"The file begins as {self.container}, but can't be read ({reason})."
        return DecoderError("corrupt_audio", text)

    def _pause(self, packet: Any) -> list[NDArray[np.float32]]:
        """Silence in place of an AMR frame that describes a pause; nothing for any other packet."""
        speech_types = SPEECH_TYPES.get(self._codec_name)
        if speech_types is None or packet.size == 0 or bytes(packet)[0] >> 3 & 15 < speech_types:
            return []
        return [np.zeros((round(AMR_FRAME_S * self.sample_rate_hz), self.channels), np.float32)]

    def _samples(self, frame: Any) -> NDArray[np.float32]:
        """FFmpeg's frame as (n, channels) float32, full scale 1.0."""
        if (frame.sample_rate, frame.layout.nb_channels) != (self.sample_rate_hz, self.channels):
            raise ValueError("its sample rate or number of channels changes")
        values: NDArray[Any] = frame.to_ndarray()
        if values.dtype.kind == "u":
            values = values.astype(np.float32) / 128 - 1
        elif values.dtype.kind == "i":
            values = values.astype(np.float32) / (np.iinfo(values.dtype).max + 1.0)
        samples = values.astype(np.float32, copy=False)
        return samples.T if frame.format.is_planar else samples.reshape(-1, self.channels)

    def _claimed(self, track: Any) -> int | None:
        """The frames that the header states, less the padding that it may count; None if it states none."""
        if not self._states_length:
            return None
        if track.duration is not None:
            duration_s = float(track.duration * track.time_base)
        elif self._input.duration is not None:
            duration_s = float(self._input.duration / 1e6)
        else:
            return None
        return max(0, round((duration_s - PADDING_S) * self.sample_rate_hz))


def _refuse_to_open(url: str, flags: int, options: dict[str, str]) -> None:
    raise ValueError("it refers to another file")


def _reason(error: Exception) -> str:
    """The last line that FFmpeg logged about the error, or else the kind of error."""
    log = getattr(error, "log", None)
    text = log[2].strip() if log else getattr(error, "strerror", None) or str(error)
    return str(text).rstrip(".")[:200]
