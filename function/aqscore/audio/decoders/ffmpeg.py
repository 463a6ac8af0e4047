"""The decoder for MP4, MOV, 3GP, WebM, Matroska, AAC, AMR and codecs that libsndfile lacks, with FFmpeg.

FFmpeg reads hundreds of formats, and each adds attack surface. Therefore its demuxer is chosen by
aqscore.audio.decoders.formats; the codecs are a short list; and it opens nothing but the file: no URL, no
playlist, no reference to another file. It comes with PyAV.
"""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.decoders.base import BrokenStream, DecoderError, missing_track
from aqscore.audio.decoders.formats import Format
from aqscore.audio.decoders.timestamps import Timestamps
from aqscore.audio.decoders.tracks import first_with_sound, flagged
from aqscore.audio.decoders.view import FileView
from aqscore.audio.findings import Findings

CODECS = (
    "aac", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms", "alac",
    "amrnb", "amrwb", "flac", "g722", "g726", "g726le", "gsm", "gsm_ms", "libopus", "mp3", "mp3float", "opus",
    "pcm_alaw", "pcm_f32be", "pcm_f32le", "pcm_f64be", "pcm_f64le", "pcm_mulaw", "pcm_s16be", "pcm_s16le",
    "pcm_s24be", "pcm_s24le", "pcm_s32be", "pcm_s32le", "pcm_s8", "pcm_u8", "speex", "vorbis",
)  # fmt: skip
# AMR's frame types below this number are speech; the others describe pauses (table 1 of 3GPP TS 26.101 and of
# TS 26.201). Telephones play comfort noise there. FFmpeg doesn't decode them: here they are silence.
SPEECH_TYPES = {"amrnb": 8, "amrwb": 9}
AMR_FRAME_S = 0.02
# Encoders pad the last frame, and containers round to their own clocks.
PADDING_S = 0.1
SILENCE_SAMPLES = 1 << 16  # in a block
NOT_INSTALLED = "Convert it to WAV, FLAC, MP3 or Ogg, or install the decoder: pip install 'aqscore[formats]'."


class FfmpegDecoder:
    """An audio track of a file."""

    def __init__(self, view: FileView, format: Format, track: int | None = None) -> None:
        """Raises DecoderError or MemoryError."""
        try:
            import av  # takes 60 ms and 25 MB: only for these files
        except ImportError:
            text = f"The file begins as {format.name}, and the decoder for it (PyAV) is not installed."
            raise DecoderError("unsupported_format", text, NOT_INSTALLED) from None

        logging.getLogger("libav").addHandler(logging.NullHandler())
        av.logging.set_level(av.logging.ERROR)  # or errors have no text
        self.container = format.name
        self.findings = Findings()
        self._view, self._demuxer = view, format.demuxer
        self._errors = (av.FFmpegError, ValueError)
        self._input = self._open_input()
        try:
            self._track = self._choose(track)
        except BaseException:
            self.close()
            raise
        context = self._track.codec_context
        context.thread_count = 1
        self._codec_name: str = context.codec.name
        self.codec: str = self._track.codec.canonical_name.upper()
        self.sample_rate_hz: int = context.sample_rate
        self.channels: int = context.channels
        if self.sample_rate_hz < 1 or self.channels < 1:
            raise self._corrupt("its audio track has no channels or no sample rate")
        self._stated_s = self._stated() if format.has_timestamps else None
        self._timestamps = Timestamps(self._stated_s) if format.has_timestamps else None

    def blocks(self) -> Iterator[tuple[NDArray[np.float32], int]]:
        """As Decoder.blocks."""
        broken, decoded_s = None, 0.0
        packets = self._input.demux(self._track)
        while True:
            try:
                packet = next(packets, None)
            except MemoryError:
                raise
            except self._errors as error:
                raise BrokenStream(_reason(error)) from None
            if packet is None:
                break
            try:
                frames = self._pause(packet) or [_samples(frame) for frame in packet.decode()]
            except MemoryError:
                raise
            except self._errors as error:  # the next packets may be intact
                broken = _reason(error)
                continue
            for samples, rate_hz, start_s in frames:
                duration_s = len(samples) / rate_hz
                decoded_s += duration_s
                if self._timestamps is not None:
                    gap_s = self._timestamps.gap_before(start_s, duration_s)
                    decoded_s += gap_s
                    yield from self._silence(gap_s, samples.shape[1], rate_hz)
                yield samples, rate_hz
        if broken is not None:
            raise BrokenStream(broken)
        if self._timestamps is not None and self._stated_s is not None:
            end_s = max(decoded_s, self._timestamps.end_s)
            self.findings.incomplete = end_s < self._stated_s - PADDING_S

    def close(self) -> None:
        self._input.close()

    def _open_input(self) -> Any:
        import av

        self._view.seek(0)
        try:
            return av.open(
                self._view,
                format=self._demuxer,
                container_options={"protocol_whitelist": "", "codec_whitelist": ",".join(CODECS)},
                io_open=_refuse_to_open,
            )
        except MemoryError:
            raise
        except self._errors as error:
            raise self._corrupt(_reason(error)) from None

    def _choose(self, number: int | None) -> Any:
        """The audio track to decode. Raises DecoderError."""
        tracks = list(self._input.streams.audio)
        self.tracks = len(tracks)
        if not tracks:
            raise DecoderError("unsupported_format", f"The {self.container} file has no audio track.")
        if number is not None and not 0 <= number < len(tracks):
            raise missing_track(number, len(tracks))
        usable = [each for each in tracks if _codec_name(each) in CODECS]
        if number is not None or not usable:
            chosen = tracks[number or 0]
        else:
            candidates = flagged(usable)
            chosen = candidates[0]
            if len(candidates) > 1:
                index = first_with_sound(self._input, candidates, self._errors)
                self._input.close()
                self._input = self._open_input()
                chosen = self._input.streams[index]
        if (codec := _codec_name(chosen)) not in CODECS:
            text = f"The audio in the {self.container} file is {codec or 'an unknown codec'}."
            raise DecoderError("unsupported_format", text)
        self.track = [each.index for each in self._input.streams.audio].index(chosen.index)
        return chosen

    def _corrupt(self, reason: str) -> DecoderError:
        text = f"The file begins as {self.container}, but can't be read ({reason})."
        return DecoderError("corrupt_audio", text)

    def _pause(self, packet: Any) -> list[tuple[NDArray[np.float32], int, float | None]]:
        """Silence in place of an AMR frame that describes a pause; nothing for any other packet."""
        speech_types = SPEECH_TYPES.get(self._codec_name)
        if speech_types is None or packet.size == 0 or bytes(packet)[0] >> 3 & 15 < speech_types:
            return []
        silence = np.zeros((round(AMR_FRAME_S * self.sample_rate_hz), self.channels), np.float32)
        return [(silence, self.sample_rate_hz, _start_s(packet))]

    def _silence(
        self, duration_s: float, channels: int, rate_hz: int
    ) -> Iterator[tuple[NDArray[np.float32], int]]:
        """Zeros in place of a gap, in blocks."""
        self.findings.gaps_s += duration_s
        self.findings.longest_gap_s = max(self.findings.longest_gap_s, duration_s)
        frames, most = round(duration_s * rate_hz), max(1, SILENCE_SAMPLES // channels)
        for start in range(0, frames, most):
            yield np.zeros((min(most, frames - start), channels), np.float32), rate_hz

    def _stated(self) -> float | None:
        """The duration of the track by the header, which may count padding; None if it states none."""
        track = self._track
        if track.duration is not None:
            return float(track.duration * track.time_base)
        if text := track.metadata.get("DURATION"):  # a tag of Matroska
            return _seconds(text)
        if self._input.duration is not None and len(self._input.streams) == 1:
            return float(self._input.duration / 1e6)
        return None


def _codec_name(track: Any) -> str:
    return "" if track.codec_context is None else str(track.codec_context.codec.name)


def _samples(frame: Any) -> tuple[NDArray[np.float32], int, float | None]:
    """FFmpeg's frame as (n, channels) float32, full scale 1.0, its sample rate, and its time in seconds."""
    values: NDArray[Any] = frame.to_ndarray()
    if values.dtype.kind == "u":
        values = values.astype(np.float32) / 128 - 1
    elif values.dtype.kind == "i":
        values = values.astype(np.float32) / (np.iinfo(values.dtype).max + 1.0)
    samples = values.astype(np.float32, copy=False)
    samples = samples.T if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels)
    return samples, frame.sample_rate, _start_s(frame)


def _start_s(timed: Any) -> float | None:
    return None if timed.pts is None else float(timed.pts * timed.time_base)


def _seconds(text: str) -> float | None:
    """The seconds of a duration as in 01:02:03.400."""
    try:
        hours, minutes, seconds = map(float, text.split(":"))
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds


def _refuse_to_open(url: str, flags: int, options: dict[str, str]) -> None:
    raise ValueError("it refers to another file")


def _reason(error: Exception) -> str:
    """The last line that FFmpeg logged about the error, or else the kind of error."""
    log = getattr(error, "log", None)
    text = log[2].strip() if log else getattr(error, "strerror", None) or str(error)
    return str(text).rstrip(".")[:200]
