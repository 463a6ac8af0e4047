"""The interface of a decoder, and the errors with which one turns a file down."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.findings import Findings


class UnknownFormat(Exception):
    """The decoder doesn't know the format of the file; another decoder may. The text says why."""


class DecoderError(Exception):
    """The file can't be decoded. ``error_type`` is the type of the error of aqscore.errors to raise."""

    def __init__(self, error_type: str, message: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.error_type, self.advice = error_type, advice


class BrokenStream(Exception):
    """The rest can't be decoded. The text says why."""


class Decoder(Protocol):
    """An open link of a file, that is decoded from its beginning to its end.

    A class of decoders takes a FileView, a Format, and the number of the audio track or None for the best.
    It raises UnknownFormat, DecoderError or MemoryError.
    """

    container: str
    codec: str
    sample_rate_hz: int
    channels: int
    tracks: int  # audio tracks in the file
    track: int  # the decoded one, from 0
    findings: Findings

    def blocks(self) -> Iterator[tuple[NDArray[np.float32], int]]:
        """Yields (n, channels) float32, full scale 1.0, with its sample rate in Hz. Both may change.

        Raises BrokenStream or MemoryError.
        """
        ...

    def close(self) -> None: ...


def missing_track(track: int, tracks: int) -> DecoderError:
    """The error for an audio track that isn't there, counted from 0 here and from 1 in the text."""
    have = f"{tracks} audio track" + ("" if tracks == 1 else "s")
    text = f"The file has {have}, track {track + 1} is not one of them."
    return DecoderError("bad_request", text, "Choose a track that it has, or none: the default one.")
