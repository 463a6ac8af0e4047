"""The interface of a source of decoded blocks: a file in a decoder worker, or an array."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.findings import Findings

MAX_BLOCK_SAMPLES = 1 << 18  # over all channels: a bound on memory, whatever a header claims


class SampleSource(Protocol):
    """An open recording, read once from its beginning to its end."""

    container: str
    codec: str
    sample_rate_hz: int
    channels: int
    tracks: int  # audio tracks in the file
    track: int  # the decoded one, from 0
    findings: Findings  # about the samples so far

    @property
    def progress(self) -> float:
        """The share of the recording that was read, 0 to 1; rather too large where it is not known."""
        ...

    def read(self) -> tuple[NDArray[np.float32], str | None]:
        """The next block, and the reason why what follows can't be decoded, None if it can.

        A block is (n, channels) float32, full scale 1.0, valid until the next call; n is 0 at the end.
        """
        ...

    def close(self) -> None: ...
