"""What libsndfile lacks and people have: M4A, MP4, MOV, 3GP, WebM, Matroska, AAC and AMR, through FFmpeg.

FFmpeg reads hundreds of formats, and every one more is one more to be attacked through. So its demuxer is
named, by the file's first bytes, rather than guessed by itself; the decoders are a short list; and it opens
nothing but the file: no URL, no playlist, no reference to another file.
"""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from aqscore.audio.decoders.base import Refused


@dataclass(frozen=True)
class Kind:
    """A container: its name in reports, and FFmpeg's name for what takes it apart."""

    container: str
    demuxer: str
    tells_its_length: bool = True


MP4, WEBM, MATROSKA, ADTS, AMR = (
    Kind("MP4", "mov"),
    Kind("WEBM", "matroska"),
    Kind("MATROSKA", "matroska"),
    Kind("ADTS", "aac", tells_its_length=False),  # FFmpeg's lengths of these two are guesses
    Kind("AMR", "amr", tells_its_length=False),
)
DECODERS = (
    "aac", "alac", "amrnb", "amrwb", "flac", "libopus", "mp3", "mp3float", "opus", "pcm_alaw", "pcm_mulaw",
    "pcm_s16be", "pcm_s16le", "vorbis",
)  # fmt: skip
# How many of AMR's frame types are speech. The others are of pauses (table 1 of 3GPP TS 26.101 and 26.201),
# which FFmpeg doesn't decode: telephones make comfort noise of them, here they are silence.
SPEECH_TYPES = {"amrnb": 8, "amrwb": 9}
AMR_FRAME_S = 0.02
# Encoders pad the last frame, and containers round to their own clocks.
PADDING_S = 0.1


def kind_of(head: bytes) -> Kind | None:
    """The container that a file's first bytes are of; None for any other."""
    if head[4:8] == b"ftyp":  # ISO/IEC 14496-12, 4.3
        return MP4
    if head.startswith(b"\x1aE\xdf\xa3"):  # RFC 8794, 11.2.1
        return WEBM if b"webm" in head else MATROSKA
    if head.startswith((b"#!AMR\n", b"#!AMR-WB\n")):  # RFC 4867, 5.1 and 5.2
        return AMR
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:  # ISO/IEC 13818-7, 6.2: layer 0
        return ADTS
    return None


class Ffmpeg:
    """The first audio track of a file."""

    def __init__(self, descriptor: int, kind: Kind) -> None:
        """Raises Refused."""
        import av  # 60 ms and 25 MB, for those files only

        logging.getLogger("libav").addHandler(logging.NullHandler())
        av.logging.set_level(av.logging.ERROR)  # or its errors don't say what was wrong
        self._kind = kind
        self.container = kind.container
        self._errors = (av.FFmpegError, ValueError)
        try:
            self._input = av.open(
                open(descriptor, "rb", buffering=0, closefd=False),  # noqa: SIM115, PTH123
                format=kind.demuxer,
                container_options={
                    "protocol_whitelist": "",
                    "codec_whitelist": ",".join(DECODERS),
                },
                io_open=_nothing_else,
            )
        except MemoryError:
            raise
        except self._errors as error:
            raise self._broken(_said(error)) from None
        track = next(iter(self._input.streams.audio), None)
        if track is None:
            raise Refused("unsupported_format", f"The {kind.container} file has no audio track.")
        context = track.codec_context
        if context is None or context.codec.name not in DECODERS:
            what = "an unknown codec" if context is None else context.codec.name
            raise Refused("unsupported_format", f"The audio in the {kind.container} file is {what}.")
        context.thread_count = 1
        self._decoder = context.codec.name
        self.codec = track.codec.canonical_name.upper()
        self.sample_rate_hz, self.channels = context.sample_rate, context.channels
        if self.sample_rate_hz < 1 or self.channels < 1:
            raise self._broken("its audio track has no channels or no sample rate")
        self.claimed_frames = self._claimed(track)
        self._packets = self._input.demux(track)
        self._waiting: list[np.ndarray] = []

    def read(self, out: np.ndarray) -> tuple[int, str | None]:
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
            return filled, _said(error)
        return filled, None

    def close(self) -> None:
        self._input.close()

    def _broken(self, reason: str) -> Refused:
        return Refused("corrupt_audio", f"The file begins as {self.container}, but can't be read ({reason}).")

    def _pause(self, packet: Any) -> list[np.ndarray]:
        """The silence that stands for a frame of a pause; nothing for any other packet."""
        speech_types = SPEECH_TYPES.get(self._decoder)
        if speech_types is None or packet.size == 0 or bytes(packet)[0] >> 3 & 15 < speech_types:
            return []
        return [np.zeros((round(AMR_FRAME_S * self.sample_rate_hz), self.channels), np.float32)]

    def _samples(self, frame: Any) -> np.ndarray:
        """FFmpeg's frame as (n, channels) float32, full scale 1."""
        if (frame.sample_rate, frame.layout.nb_channels) != (self.sample_rate_hz, self.channels):
            raise ValueError("its sample rate or channels change on the way")
        values = frame.to_ndarray()
        if values.dtype.kind == "u":
            values = values.astype(np.float32) / 128 - 1
        elif values.dtype.kind == "i":
            values = values.astype(np.float32) / (np.iinfo(values.dtype).max + 1.0)
        values = values.astype(np.float32, copy=False)
        return values.T if frame.format.is_planar else values.reshape(-1, self.channels)

    def _claimed(self, track: Any) -> int | None:
        if not self._kind.tells_its_length:
            return None
        if track.duration is not None:
            duration_s = float(track.duration * track.time_base)
        elif self._input.duration is not None:
            duration_s = self._input.duration / 1e6
        else:
            return None
        return max(0, round((duration_s - PADDING_S) * self.sample_rate_hz))


def _nothing_else(url: str, flags: int, options: dict) -> None:
    raise ValueError("it refers to another file")


def _said(error: Exception) -> str:
    """FFmpeg's last word on it, or what kind of error it is."""
    log = getattr(error, "log", None)
    text = log[2].strip() if log else getattr(error, "strerror", None) or str(error)
    return text.rstrip(".")[:200]
