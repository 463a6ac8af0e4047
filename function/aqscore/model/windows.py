"""The windower: scores frames window by window, each with context on both sides, in bounded memory."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aqscore.model.pooling import FrameScores
from aqscore.model.runtimes import Network


class Window(NamedTuple):
    """Successive frames, (n, 257) float32, and their scores."""

    frames: NDArray[np.float32]
    scores: FrameScores

    def part(self, start: int, stop: int) -> "Window":
        return Window(self.frames[start:stop], self.scores.part(start, stop))


class Windower:
    """Runs the network on successive windows of frames.

    A recording of up to ``frames + context`` frames is scored in one window. In a longer one, each frame is
    scored with at least ``context`` frames known on either side of it.

    Invariant: the windows that ``push`` and ``finish`` return hold every frame that was pushed, in order and
    unchanged. Memory doesn't grow with the length of the recording.
    """

    def __init__(self, network: Network, frames: int, context: int) -> None:
        self._network = network
        self._window = frames
        self._context = context
        self._blocks: list[NDArray[np.float32]] = []  # joined once per window: joining copies all of them
        self._count = 0  # frames in the blocks
        self._scored = 0  # those at their beginning that were scored, and now are context

    def push(self, frames: NDArray[np.float32]) -> list[Window]:
        """Takes (n, 257) float32 frames; returns the windows that became ready."""
        if len(frames) == 0:
            return []
        self._blocks.append(frames)
        self._count += len(frames)
        ready = []
        while self._count >= self._scored + self._window + self._context:
            ready.append(self._score(self._scored + self._window, self._context))
        return ready

    def finish(self) -> list[Window]:
        """Returns the frames that were waiting for their context."""
        return [self._score(self._count, context=0)] if self._count > self._scored else []

    def _score(self, stop: int, context: int) -> Window:
        """Scores the frames up to ``stop``, and keeps the last of them as context."""
        frames = np.concatenate(self._blocks)
        scores = self._network(frames[: stop + context])
        window = Window(frames[self._scored : stop], scores.part(self._scored, stop))
        keep_from = max(0, stop - self._context)
        self._blocks, self._count = [frames[keep_from:]], len(frames) - keep_from
        self._scored = stop - keep_from
        return window
