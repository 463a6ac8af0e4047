"""The part of a recording to score, and its samples cut out of successive blocks."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Part:
    """One channel or the downmix of all, from ``start_s`` to ``end_s`` in seconds.

    ``track`` is an audio track of the file, from 0; None leaves the choice to the decoder.
    """

    channel: int | None = None
    start_s: float = 0.0
    end_s: float = math.inf
    track: int | None = None


WHOLE = Part()


class PartSlicer:
    """Cuts successive blocks of a recording to a part of it."""

    def __init__(self, part: Part, sample_rate_hz: int) -> None:
        self._start, self._end = part.start_s * sample_rate_hz, part.end_s * sample_rate_hz
        self.seen = 0  # frames of the recording so far
        self.taken = 0  # those in the part
        self.position = 0  # of the last block's part in the recording

    @property
    def complete(self) -> bool:
        """Whether all blocks that follow lie behind the part."""
        return self.seen >= self._end

    def cut(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """The rows of the next (n, channels) block that lie in the part, without a copy."""
        first = round(min(max(self._start - self.seen, 0), len(block)))
        wanted = block[first : round(max(min(self._end - self.seen, len(block)), 0))]
        self.position = self.seen + first
        self.seen += len(block)
        self.taken += len(wanted)
        return wanted
