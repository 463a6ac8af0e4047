"""Selects the decoders by the content of the file: libsndfile first, FFmpeg for what it lacks."""

from aqscore.audio.decoders.base import DecoderError as DecoderError
from aqscore.audio.decoders.base import missing_track
from aqscore.audio.decoders.file_decoder import FileDecoder as FileDecoder
from aqscore.audio.decoders.formats import recognise
from aqscore.audio.decoders.view import FileView


def open_decoder(descriptor: int, track: int | None = None) -> FileDecoder:
    """A decoder for the file behind a descriptor, and for one of its audio tracks, from 0.

    Without a number, it is the track flagged as the default, or else the first that has sound. Raises
    DecoderError or MemoryError.
    """
    format, view = recognise(FileView(descriptor))
    decoder = FileDecoder(view, format, track)
    if track is not None and not 0 <= track < decoder.tracks:
        decoder.close()
        raise missing_track(track, decoder.tracks)
    return decoder
