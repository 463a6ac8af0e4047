"""The interface of a decoder, and its refusal of a file."""

from typing import Protocol

import numpy as np


class Refused(Exception):
    """The file can't be decoded: ``type`` is that of the error in aqscore.errors."""

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
