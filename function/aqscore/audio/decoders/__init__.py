"""Decoders, by the content of the file: libsndfile first, FFmpeg for the formats that it lacks."""

import importlib.util
import os

import soundfile

from aqscore.audio.decoders.base import Decoder, Refused
from aqscore.audio.decoders.libsndfile import Libsndfile, reason_of

NOT_HERE = "what decodes it is not installed here (the package av)."
NEEDED = "Convert it to WAV, FLAC, MP3 or Ogg, or install av: the template's parameter Formats does."
MALFORMED, MALLOC_FAILED = 3, 17  # SF_ERR_MALFORMED_FILE and SFE_MALLOC_FAILED of libsndfile


def open_decoder(descriptor: int) -> Decoder:
    """The decoder for a file, told by its content. Raises Refused."""
    try:
        return Libsndfile(descriptor)
    except soundfile.LibsndfileError as error:
        if error.code == MALLOC_FAILED:
            raise MemoryError from None
        reason = reason_of(error)
        if error.code == MALFORMED:
            raise Refused(
                "corrupt_audio", f"The file begins like audio, but can't be read ({reason})."
            ) from None
    from aqscore.audio.decoders.ffmpeg import Ffmpeg, kind_of

    kind = kind_of(os.pread(descriptor, 64, 0))
    if kind is None:
        raise Refused("unsupported_format", f"The file can't be read as audio ({reason}).")
    if importlib.util.find_spec("av") is None:
        raise Refused("unsupported_format", f"The file begins as {kind.container}, and {NOT_HERE}", NEEDED)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return Ffmpeg(descriptor, kind)
