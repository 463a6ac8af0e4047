"""Scores frames as they come, window by window, in bounded memory."""

import itertools
from typing import NamedTuple

import numpy as np

from aqscore.model.features import SPEC
from aqscore.model.pooling import FrameScores
from aqscore.model.runtimes import Network
from aqscore.scale import LOWEST

SILENT_FRAMES = 64  # a second: of longer pauses of digital silence the network hears no more
# Frames that hold both silence and sound are a click to the network, where there is none. After silence of
# whole hops there is one such frame, and no more is left out: the network hears what it would hear without.
FIRST_EDGE, LAST_EDGE = 1, 2
# What a frame weighs in which surely nobody speaks: it keeps the mean of a recording without speech defined.
SILENT_WEIGHT = 1e-7


class Window(NamedTuple):
    """Successive frames, (n, 257), and their scores."""

    frames: np.ndarray
    scores: FrameScores


class ScoreStream:
    """Scores frames as they come, window by window, each with context on both sides.

    A recording of up to ``frames + context`` frames is scored in one go. In a longer one every frame
    is scored with at least ``context`` frames known on either side of it. Memory doesn't grow.

    Of digital silence the network hears ``SILENT_FRAMES`` in each pause, and nothing of what comes before
    the first sound or after the last, edges included: silence says nothing of the speech around it, but a
    recurrence takes it for a sign. What the network didn't hear gets the score of the sound beside it,
    next to no weight and no speech.
    """

    def __init__(self, network: Network, frames: int, context: int) -> None:
        self._network = network
        self._window = frames
        self._context = context
        self._frames: list[np.ndarray] = []  # joined when a window is ready: each time copies all of them
        self._skipped = np.empty(0, np.int64)  # silent frames left out before each of the frames
        self._scored = 0  # how many of self._frames are there as context only
        self._begun = False  # whether there was any sound
        self._edge = 0  # how many of the next frames are still to be left out
        self._silent = 0  # how many of the last frames pushed were silent
        self._waiting = 0  # how many of the last frames were left out
        self._last_score = LOWEST

    def push(self, frames: np.ndarray) -> list["Window"]:
        """Takes (n, 257) frames; returns the windows that became ready."""
        self._take(frames)
        ready = []
        while len(self._skipped) >= self._scored + self._window + self._context:
            ready += self._score(self._scored + self._window, self._context)
        return ready

    def finish(self) -> list["Window"]:
        """Returns the frames that were waiting for their context."""
        heard = len(self._skipped)
        silence = min(self._silent, SILENT_FRAMES) + LAST_EDGE if self._silent else 0
        at_end = min(silence, heard - self._scored)
        rest = self._score(heard - at_end, context=0) if heard - at_end > self._scored else []
        return rest + self._silence(at_end + self._waiting, self._last_score)

    def _take(self, frames: np.ndarray) -> None:
        """Keeps all frames but those that silence has too many of."""
        if not self._begun and len(frames):
            sounding = np.flatnonzero(frames.any(axis=1))
            self._begun = len(sounding) > 0
            silent = int(sounding[0]) if self._begun else len(frames)
            self._edge = silent + (FIRST_EDGE if self._begun and silent + self._waiting else 0)
        unheard = min(self._edge, len(frames))
        self._edge -= unheard
        self._waiting += unheard
        frames = frames[unheard:]
        if len(frames) == 0:
            return
        at = np.arange(1, len(frames) + 1)
        last_sound = np.maximum.accumulate(np.where(frames.any(axis=1), at, 0))
        silent = at - last_sound + np.where(last_sound, 0, self._silent)
        kept = np.flatnonzero(silent <= SILENT_FRAMES)
        skipped = np.diff(kept, prepend=-1) - 1
        if len(kept):
            skipped[0] += self._waiting
            self._waiting = len(frames) - 1 - int(kept[-1])
            self._frames.append(frames if len(kept) == len(frames) else frames[kept])
            self._skipped = np.concatenate([self._skipped, skipped])
        else:
            self._waiting += len(frames)
        self._silent = int(silent[-1])

    def _score(self, stop: int, context: int) -> list["Window"]:
        frames = np.concatenate(self._frames)
        scores = self._network(frames[: stop + context])
        windows = []
        gaps = np.flatnonzero(self._skipped[self._scored : stop]) + self._scored
        edges = [self._scored, *gaps[gaps > self._scored].tolist(), stop]
        for first, last in itertools.pairwise(edges):
            windows += self._silence(int(self._skipped[first]), scores.score[first])
            windows.append(Window(frames[first:last], scores.part(first, last)))
        self._last_score = scores.score[stop - 1]
        keep_from = max(0, stop - self._context)
        self._frames, self._skipped = [frames[keep_from:]], self._skipped[keep_from:]
        self._scored = stop - keep_from
        return windows

    def _silence(self, count: int, score: float) -> list["Window"]:
        """Windows of ``count`` silent frames that the network didn't hear."""
        sizes = [min(self._window, count - start) for start in range(0, count, self._window)]
        nothing = np.zeros(SPEC.bins, np.float32)
        return [
            Window(
                np.broadcast_to(nothing, (size, SPEC.bins)),
                FrameScores(*(np.full(size, value, np.float32) for value in (score, SILENT_WEIGHT, 0.0))),
            )
            for size in sizes
        ]
