"""The decoder for WAV, FLAC, MP3, Ogg, AIFF and others, with libsndfile."""

import os

import numpy as np
import soundfile
from numpy.typing import NDArray

from aqscore.audio.decoders.base import DecoderError, UnknownFormat

MALFORMED, MALLOC_FAILED = 3, 17  # SF_ERR_MALFORMED_FILE and SFE_MALLOC_FAILED of libsndfile


class LibsndfileDecoder:
    """WAV, FLAC, MP3, Ogg and more."""

    def __init__(self, descriptor: int) -> None:
        """Raises UnknownFormat, DecoderError or MemoryError."""
        # By descriptor, not by name: libsndfile takes a file named take.raw for headerless samples. In
        # Windows a descriptor belongs to one C library, which needn't be libsndfile's.
        windows = os.name == "nt"
        file = open(descriptor, "rb", closefd=False) if windows else descriptor  # noqa: SIM115, PTH123
        try:
            self._file = _ForwardFile(file, closefd=False)
        except soundfile.LibsndfileError as error:
            if error.code == MALLOC_FAILED:
                raise MemoryError from None
            if error.code == MALFORMED:
                text = f"The file begins like audio, but can't be read ({_reason(error)})."
                raise DecoderError("corrupt_audio", text) from None
            raise UnknownFormat(_reason(error)) from None
        self.container: str = self._file.format
        self.codec: str = self._file.subtype
        self.sample_rate_hz: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.claimed_frames: int | None = self._file.frames

    def read(self, out: NDArray[np.float32]) -> tuple[int, str | None]:
        """As Decoder.read."""
        # After an error, soundfile discards the samples decoded before it. They are in ``out`` nevertheless:
        # up to the first NaN that the decoder didn't overwrite.
        out.fill(np.nan)
        try:
            return len(self._file.read(out=out)), None
        except soundfile.LibsndfileError as error:
            missing = np.isnan(out).all(axis=1)
            return int(missing.argmax()) if missing.any() else len(out), _reason(error)

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
