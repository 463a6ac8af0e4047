"""Who decodes which file: libsndfile first, FFmpeg what libsndfile lacks. Runs in the decoder's process."""

import importlib.util
import os
from typing import Protocol

import numpy as np
import soundfile

NOT_HERE = "what decodes it is not installed here (the package av)."
NEEDED = "Convert it to WAV, FLAC, MP3 or Ogg, or install av: the template's parameter Formats does."
MALFORMED, MALLOC_FAILED = 3, 17  # SF_ERR_MALFORMED_FILE and SFE_MALLOC_FAILED of libsndfile


class Refused(Exception):
    """The file can't be decoded: ``type`` is that of the error in function.errors."""

    def __init__(self, type: str, text: str, advice: str | None = None) -> None:
        super().__init__(text)
        self.type, self.advice = type, advice


class Decoder(Protocol):
    """An opened file, decoded from its beginning to its end."""

    container: str
    codec: str
    sample_rate_hz: int
    channels: int
    claimed_frames: int | None  # what the header says, where it says anything

    def read(self, out: np.ndarray) -> tuple[int, str | None]:
        """Fills (n, channels) float32 from the top.

        Returns how many frames came, and why no more will, if none will.
        """

    def close(self) -> None: ...


class Libsndfile:
    """WAV, FLAC, MP3, Ogg and more."""

    def __init__(self, descriptor: int) -> None:
        # By descriptor: a name such as take.raw would make libsndfile skip looking at the content.
        self._file = _Forward(descriptor, closefd=False)
        self.container, self.codec = self._file.format, self._file.subtype
        self.sample_rate_hz, self.channels = self._file.samplerate, self._file.channels
        self.claimed_frames = self._file.frames
        self.close = self._file.close

    def read(self, out: np.ndarray) -> tuple[int, str | None]:
        # What was decoded before an error is kept: soundfile itself would throw it away. It is told by
        # the NaNs that the decoder didn't overwrite.
        out.fill(np.nan)
        try:
            return len(self._file.read(out=out)), None
        except soundfile.LibsndfileError as error:
            missing = np.isnan(out).all(axis=1)
            return int(missing.argmax()) if missing.any() else len(out), _reason(error)


class _Forward(soundfile.SoundFile):
    """Reads forward only. After each read of a seekable file soundfile seeks to where it should be, which
    fails, and loses what was read, in files that are shorter than they claim."""

    def seekable(self) -> bool:
        return False


def open_decoder(descriptor: int) -> Decoder:
    """The decoder for a file, told by its content. Raises Refused."""
    try:
        return Libsndfile(descriptor)
    except soundfile.LibsndfileError as error:
        if error.code == MALLOC_FAILED:
            raise MemoryError from None
        reason = _reason(error)
        if error.code == MALFORMED:
            raise Refused(
                "corrupt_audio", f"The file begins like audio, but can't be read ({reason})."
            ) from None
    from function.ffmpeg import Ffmpeg, kind_of

    kind = kind_of(os.pread(descriptor, 64, 0))
    if kind is None:
        raise Refused("unsupported_format", f"The file can't be read as audio ({reason}).")
    if importlib.util.find_spec("av") is None:
        raise Refused("unsupported_format", f"The file begins as {kind.container}, and {NOT_HERE}", NEEDED)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return Ffmpeg(descriptor, kind)


def _reason(error: soundfile.LibsndfileError) -> str:
    return error.error_string.rstrip(".")
