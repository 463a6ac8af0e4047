"""The interface of a decoder, and the errors with which one turns a file down."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class UnknownFormat(Exception):
    """The decoder doesn't know the format of the file; another decoder may. The text says why."""


class DecoderError(Exception):
    """The file can't be decoded. ``error_type`` is the type of the error of aqscore.errors to raise."""

    def __init__(self, error_type: str, message: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.error_type, self.advice = error_type, advice


class Decoder(Protocol):
    """An open file that is decoded from its beginning to its end.

    A class of decoders takes a file descriptor. It raises UnknownFormat, DecoderError or MemoryError.
    """

    container: str
    codec: str
    sample_rate_hz: int
    channels: int
    claimed_frames: int | None  # from the header, None where it has no length

    def read(self, out: NDArray[np.float32]) -> tuple[int, str | None]:
        """Fills (n, channels) float32 from the top, full scale 1.0.

        Returns the number of frames, 0 at the end, and the reason why the rest of the file can't be decoded,
        None if it can. Raises MemoryError.
        """
        ...

    def close(self) -> None: ...
