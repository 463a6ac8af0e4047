"""The decoder of a file: its links one after the other, each by the first decoder that can read it."""

import math
import os
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.decoders.base import BrokenStream, Decoder, DecoderError, UnknownFormat
from aqscore.audio.decoders.conform import Conform
from aqscore.audio.decoders.ffmpeg import FfmpegDecoder
from aqscore.audio.decoders.formats import Format
from aqscore.audio.decoders.libsndfile import LibsndfileDecoder
from aqscore.audio.decoders.links import Link
from aqscore.audio.decoders.view import FileView
from aqscore.audio.findings import Findings

UNREAD_BYTES = 1 << 15  # behind which a decoder that stops has left sound: more than decoders read ahead


class FileDecoder:
    """Decodes all links of a file, at the sample rate and with the channels of the first one."""

    def __init__(self, view: FileView, format: Format, track: int | None = None) -> None:
        """Raises DecoderError or MemoryError."""
        self._format, self._wanted_track = format, track
        self._links = format.links(view)
        if not self._links:
            raise DecoderError("corrupt_audio", f"The file begins as {format.name}, but holds no sound.")
        self._decoder = first = self._open(self._links[0])
        self.container, self.codec = first.container, first.codec
        self.sample_rate_hz, self.channels = first.sample_rate_hz, first.channels
        self.tracks, self.track = first.tracks, first.track
        self.findings = Findings()
        self.progress = 0.0  # share of the file, 0 to 1; rather too large
        self._size = os.fstat(view.descriptor).st_size
        self._blocks = self._all_blocks()
        self._rest = np.empty((0, self.channels), np.float32)

    def read(self, out: NDArray[np.float32]) -> tuple[int, str | None]:
        """Fills (n, channels) float32 from the top, full scale 1.0.

        Returns the number of frames, 0 at the end, and the reason why the rest of the file can't be decoded,
        None if it can. Raises MemoryError.
        """
        filled = 0
        try:
            while filled < len(out):
                if len(self._rest) == 0:
                    block = next(self._blocks, None)
                    if block is None:
                        break
                    self._rest = block
                taken = self._rest[: len(out) - filled]
                out[filled : filled + len(taken)] = taken
                filled += len(taken)
                self._rest = self._rest[len(taken) :]
        except BrokenStream as error:
            return filled, str(error)
        return filled, None

    def close(self) -> None:
        self._decoder.close()

    def _all_blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yields the samples of all links. Raises BrokenStream after the others, if one is broken."""
        conform = Conform(self.sample_rate_hz, self.channels)
        broken = None
        for number, link in enumerate(self._links):
            try:
                if number:
                    self._decoder.close()
                    self._decoder = self._open(link)
                yield from self._link_blocks(link, conform)
            except (BrokenStream, DecoderError) as error:
                broken = str(error)
            self._add_findings(link.findings)
        yield from conform.finish()
        if broken is not None:
            raise BrokenStream(broken)

    def _link_blocks(self, link: Link, conform: Conform) -> Iterator[NDArray[np.float32]]:
        frames, stated = 0, link.stated_frames
        decoder = self._decoder
        try:
            for block, sample_rate_hz in decoder.blocks():
                frames += len(block)
                self.progress = self._progress(link, frames)
                yield from conform.add(block, sample_rate_hz)
            if _leaves_sound(decoder, link):
                before = frames
                for block in self._rest_by_ffmpeg(link, frames, conform):
                    frames += len(block)
                    yield block
                link.findings.incomplete |= frames == before
        except BrokenStream:
            if stated is not None and frames >= stated:  # it is something behind the sound
                return
            if _leaves_sound(decoder, link):
                yield from self._rest_by_ffmpeg(link, frames, conform)
            raise
        finally:
            self._add_findings(decoder.findings)
        if frames < max(link.least_frames, stated or 0):
            link.findings.incomplete = True
        if stated is not None and frames > stated:
            link.findings.stated_s = stated / self._decoder.sample_rate_hz

    def _rest_by_ffmpeg(self, link: Link, frames: int, conform: Conform) -> Iterator[NDArray[np.float32]]:
        """Yields the samples of a link behind so many frames. Raises BrokenStream."""
        if self._format.demuxer is None:
            return
        try:
            decoder = FfmpegDecoder(link.view, self._format)
        except DecoderError:
            return
        self._decoder.close()
        self._decoder = decoder
        for block, sample_rate_hz in decoder.blocks():
            rest = block[frames:]
            frames -= len(block) - len(rest)
            if len(rest):
                yield from conform.add(rest, sample_rate_hz)

    def _progress(self, link: Link, frames: int) -> float:
        """The share of the file that was decoded, by its bytes or by the stated length: the larger one."""
        by_length = link.view.start + link.view.size * frames / (link.stated_frames or math.inf)
        return min(1.0, max(link.view.reached, by_length) / self._size)

    def _add_findings(self, found: Findings) -> None:
        mine = self.findings
        mine.incomplete |= found.incomplete
        mine.unfinished |= found.unfinished
        mine.stated_s = found.stated_s if mine.stated_s is None else mine.stated_s
        mine.gaps_s += found.gaps_s
        mine.longest_gap_s = max(mine.longest_gap_s, found.longest_gap_s)

    def _open(self, link: Link) -> Decoder:
        """The first decoder that can read a link. Raises DecoderError or MemoryError."""
        errors: list[DecoderError] = []
        for opener in self._openers(link):
            try:
                return opener(link.view, self._format, self._wanted_track)
            except UnknownFormat as error:
                text = f"The file begins as {self._format.name}, but can't be read as audio ({error})."
                errors.append(DecoderError("unsupported_format", text))
            except DecoderError as error:
                errors.append(error)
        # That of a decoder which understood the file says more.
        raise next((each for each in reversed(errors) if each.error_type != "corrupt_audio"), errors[0])

    def _openers(self, link: Link) -> list[type[LibsndfileDecoder] | type[FfmpegDecoder]]:
        """libsndfile comes first, but reads no file that has video or several tracks."""
        openers: list[type[LibsndfileDecoder] | type[FfmpegDecoder]] = []
        if self._format.libsndfile:
            openers.append(LibsndfileDecoder)
        if self._format.demuxer is not None:
            openers.insert(0 if link.several_streams else 1, FfmpegDecoder)
        return openers


def _leaves_sound(decoder: Decoder, link: Link) -> bool:
    """Whether a decoder stopped before the end of the sound."""
    if not isinstance(decoder, LibsndfileDecoder):
        return False
    end = link.view.size if link.sound_end is None else link.sound_end
    return end - (link.view.size - decoder.unread_bytes) > UNREAD_BYTES
