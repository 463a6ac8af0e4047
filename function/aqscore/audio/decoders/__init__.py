"""Selects the decoder by the content of the file: libsndfile first, FFmpeg for the formats that it lacks."""

import os

from aqscore.audio.decoders.base import Decoder, DecoderError, UnknownFormat
from aqscore.audio.decoders.libsndfile import LibsndfileDecoder


def open_decoder(descriptor: int) -> Decoder:
    """A decoder for the file behind a descriptor. Raises DecoderError or MemoryError."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        return LibsndfileDecoder(descriptor)
    except UnknownFormat as error:
        reason = str(error)
    from aqscore.audio.decoders.ffmpeg import FfmpegDecoder

    try:
        return FfmpegDecoder(descriptor)
    except UnknownFormat:
        raise DecoderError("unsupported_format", f"The file can't be read as audio ({reason}).") from None
