"""The decoder for WAV, FLAC, MP3, Ogg, AIFF and others, with libsndfile."""

import os
from collections.abc import Iterator

import numpy as np
import soundfile
from numpy.typing import NDArray

from aqscore.audio.decoders.base import BrokenStream, DecoderError, UnknownFormat
from aqscore.audio.decoders.formats import Format
from aqscore.audio.decoders.view import FileView
from aqscore.audio.findings import Findings

# Errors of libsndfile (sndfile.h, common.h): the codec is none of its own, and no memory.
UNRECOGNISED, UNSUPPORTED_ENCODING, MALLOC_FAILED, UNIMPLEMENTED = 1, 4, 17, 18
UNKNOWN_FRAMES = 2**48  # libsndfile states 2^63 - 1 where a stream has no length
BLOCK_SAMPLES = 1 << 16
CODECS = (
    "PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "IMA_ADPCM",
    "MS_ADPCM", "GSM610", "G721_32", "G723_24", "G723_40", "NMS_ADPCM_16", "NMS_ADPCM_24", "NMS_ADPCM_32",
    "ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32", "VORBIS", "OPUS",
    "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III",
)  # fmt: skip


class LibsndfileDecoder:
    """WAV, FLAC, MP3, Ogg and more."""

    tracks, track = 1, 0

    def __init__(self, view: FileView, format: Format, track: int | None = None) -> None:
        """Raises UnknownFormat, DecoderError or MemoryError."""
        # By descriptor, which is faster, where the file is read as it is. Not by name: libsndfile takes a
        # file named take.raw for headerless samples. In Windows a descriptor belongs to one C library, which
        # needn't be libsndfile's.
        self._view, self._direct = view, view.is_whole_file and os.name != "nt"
        if self._direct:
            os.lseek(view.descriptor, 0, os.SEEK_SET)
        try:
            self._file = _ForwardFile(view.descriptor if self._direct else view, closefd=False)
        except soundfile.LibsndfileError as error:
            if error.code == MALLOC_FAILED:
                raise MemoryError from None
            if error.code in (UNRECOGNISED, UNSUPPORTED_ENCODING, UNIMPLEMENTED):
                raise UnknownFormat(_reason(error)) from None
            text = f"The file begins as {format.name}, but can't be read ({_reason(error)})."
            raise DecoderError("corrupt_audio", text) from None
        if self._file.format not in format.libsndfile or self._file.subtype not in CODECS:
            self._file.close()
            raise UnknownFormat(f"its codec is {self._file.subtype}")
        self.container: str = format.name if self._file.format == "MP3" else self._file.format
        self.codec: str = self._file.subtype
        self.sample_rate_hz: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.findings = Findings()

    def blocks(self) -> Iterator[tuple[NDArray[np.float32], int]]:
        """As Decoder.blocks."""
        frames = 0
        while True:
            # After an error, soundfile discards the samples decoded before it. They are in ``block``
            # nevertheless: up to the first NaN that the decoder didn't overwrite.
            block = np.full((max(1, BLOCK_SAMPLES // self.channels), self.channels), np.nan, np.float32)
            try:
                count = len(self._file.read(out=block))
            except soundfile.LibsndfileError as error:
                missing = np.isnan(block).all(axis=1)
                yield block[: int(missing.argmax()) if missing.any() else len(block)], self.sample_rate_hz
                raise BrokenStream(_reason(error)) from None
            if count == 0:
                break
            frames += count
            yield block[:count], self.sample_rate_hz
        # In Ogg, the number of frames is that of the last page.
        if self._file.format == "OGG" and frames < self._file.frames < UNKNOWN_FRAMES:
            self.findings.incomplete = True

    @property
    def unread_bytes(self) -> int:
        """The bytes of the file that the decoder has not read so far."""
        view = self._view
        return view.size - (os.lseek(view.descriptor, 0, os.SEEK_CUR) if self._direct else view.tell())

    def close(self) -> None:
        self._file.close()


class _ForwardFile(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is only read forward.

    After each read of a seekable file, soundfile seeks to its new position. In a file shorter than its header
    claims this fails, and the samples are lost.
    """

    def seekable(self) -> bool:
        return False


def _reason(error: soundfile.LibsndfileError) -> str:
    return str(error.error_string).rstrip(".")
