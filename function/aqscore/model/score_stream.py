"""Scores the frames of a recording as they come: the silence gate around the windower."""

import numpy as np
from numpy.typing import NDArray

from aqscore.model.runtimes import Network
from aqscore.model.silence import SilenceGate
from aqscore.model.windows import Window, Windower


class ScoreStream:
    """Scores every frame that is pushed, in order, however the frames are cut into blocks.

    See SilenceGate for digital silence, Windower for ``frames`` and ``context``.
    """

    def __init__(self, network: Network, frames: int, context: int) -> None:
        self._gate = SilenceGate()
        self._windower = Windower(network, frames, context)

    def push(self, frames: NDArray[np.float32]) -> list[Window]:
        """Takes (n, 257) float32 frames; returns the windows that became ready."""
        return self._score(self._gate.push(frames))

    def finish(self) -> list[Window]:
        """Returns the frames that were waiting for what follows."""
        windows = self._score(self._gate.finish())
        return windows + self._gate.restore(self._windower.finish()) + self._gate.rest()

    def _score(self, blocks: list[NDArray[np.float32]]) -> list[Window]:
        return [window for block in blocks for window in self._gate.restore(self._windower.push(block))]
