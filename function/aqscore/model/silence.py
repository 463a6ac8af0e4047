"""The silence gate: keeps long digital silence out of the network's input, and restores its frames after."""

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aqscore.causes import CAUSES
from aqscore.model.features import SPEC
from aqscore.model.pooling import FrameScores
from aqscore.model.windows import Window
from aqscore.scale import LOWEST, LOWEST_MOS

MAX_SILENT_FRAMES = 64  # of each pause that go to the network: a second
# Frames that hold both digital silence and sound look like a click, although there is none. Beside silence of
# whole hops there is one such frame at the beginning of the sound, and up to two at its end.
FIRST_EDGE, LAST_EDGE = 1, 2
# The weight of a frame without speech: it keeps the mean of a recording without speech defined.
SILENT_WEIGHT = 1e-7
MAX_WINDOW = 4096  # restored frames in one window: a bound on memory

Frames = NDArray[np.float32]


class _Gap(NamedTuple):
    """Frames that were left out."""

    position: int  # kept frames before the gap
    frames: int


class SilenceGate:
    """Leaves silent frames out of the network's input, and restores them in its output.

    Digital silence says nothing about the speech around it, but a recurrent network takes it for a sign. The
    gate leaves out the digital silence beyond ``MAX_SILENT_FRAMES`` in each pause, and all of it before the
    first sound and after the last, with the edge frames beside it.

    Invariant: frames in = frames out. ``push`` and ``finish`` return the kept frames in order. Given all of
    them in windows, ``restore`` and ``rest`` return as many frames as were pushed, each kept frame in its
    place, and silence for each frame that was left out. Memory doesn't grow with the length of the
    recording, apart from a few bytes for each pause within a window.
    """

    def __init__(self) -> None:
        self._begun = False  # whether there was any sound
        self._leading_edge = 0  # frames of the first sound that are still to be left out
        self._silent = 0  # successive silent frames at the end of what was pushed
        self._kept = 0  # frames kept so far, with those held back
        # The last frames kept: the edge of a sound and the silence after it. Only the next sound shows
        # whether that silence is a pause or the end.
        self._held: Frames = np.empty((0, SPEC.bins), np.float32)
        self._gaps: deque[_Gap] = deque()
        self._restored = 0  # kept frames that came back with scores
        self._last_score = LOWEST

    def push(self, frames: Frames) -> list[Frames]:
        """Takes (n, 257) frames; returns blocks of frames for the network."""
        sounding = frames.any(axis=1)
        left_out = self._leave_out_beginning(sounding)
        frames, sounding = frames[left_out:], sounding[left_out:]
        if len(frames) == 0:
            return []
        return self._hold_back_end(self._shorten_pauses(frames, sounding))

    def finish(self) -> list[Frames]:
        """Returns the blocks held back, none of them where the recording ends in silence."""
        held, self._held = self._held, self._held[:0]
        if not self._silent:
            return [held]
        self._kept -= len(held)
        count = len(held)
        while self._gaps and self._gaps[-1].position >= self._kept:
            count += self._gaps.pop().frames
        self._gaps.append(_Gap(self._kept, count))
        return []

    def restore(self, windows: list[Window]) -> list[Window]:
        """Takes the next scored windows; returns them with the frames left out before and between them.

        A frame that was left out has the score of the next kept frame, ``SILENT_WEIGHT``, no speech, and so
        no part in the MOS, and no causes.
        """
        restored: list[Window] = []
        for window in windows:
            done, length = 0, len(window.frames)
            while self._gaps and self._gaps[0].position < self._restored + length:
                gap = self._gaps.popleft()
                at = gap.position - self._restored
                if at > done:
                    restored.append(window.part(done, at))
                    done = at
                restored += _silent_windows(gap.frames, float(window.scores.score[at]))
            restored.append(window.part(done, length))
            self._last_score = float(window.scores.score[-1])
            self._restored += length
        return restored

    def rest(self) -> list[Window]:
        """The frames left out at the end, with the last score; with the lowest where nothing was scored."""
        return _silent_windows(sum(gap.frames for gap in self._gaps), self._last_score)

    def _leave_out_beginning(self, sounding: NDArray[np.bool_]) -> int:
        """How many frames at the beginning precede the first sound, or are its edge."""
        silent = 0
        if not self._begun and len(sounding):
            self._begun = bool(sounding.any())
            silent = int(sounding.argmax()) if self._begun else len(sounding)
            if self._begun and (silent or self._gaps):
                self._leading_edge = FIRST_EDGE
        edge = min(self._leading_edge, len(sounding) - silent)
        self._leading_edge -= edge
        self._leave_out(silent + edge)
        return silent + edge

    def _shorten_pauses(self, frames: Frames, sounding: NDArray[np.bool_]) -> Frames:
        """The frames, without the silence beyond the maximum in each pause."""
        at = np.arange(1, len(frames) + 1)
        last_sound = np.maximum.accumulate(np.where(sounding, at, 0))
        silent = at - last_sound + np.where(last_sound, 0, self._silent)
        self._silent = int(silent[-1])
        kept = np.flatnonzero(silent <= MAX_SILENT_FRAMES)
        before = np.diff(kept, prepend=-1, append=len(frames)) - 1  # frames left out before each one kept
        for index in np.flatnonzero(before).tolist():
            self._leave_out(int(before[index]), self._kept + index)
        self._kept += len(kept)
        return frames if len(kept) == len(frames) else frames[kept]

    def _hold_back_end(self, frames: Frames) -> list[Frames]:
        """Blocks of the frames held so far and these, without the last edge and the silence after it."""
        hold = LAST_EDGE + min(self._silent, MAX_SILENT_FRAMES)
        if hold < len(frames):
            released = [self._held, frames[:-hold]]
            self._held = frames[-hold:].copy()
            return released
        recent = np.concatenate([self._held, frames])
        end = max(len(recent) - hold, 0)
        self._held = recent[end:]
        return [recent[:end]]

    def _leave_out(self, count: int, position: int | None = None) -> None:
        """Notes frames as left out at a position, by default after all those kept so far."""
        position = self._kept if position is None else position
        if self._gaps and self._gaps[-1].position == position:
            count += self._gaps.pop().frames
        if count:
            self._gaps.append(_Gap(position, count))


def _silent_windows(count: int, score: float) -> list[Window]:
    """Windows of ``count`` silent frames that the network has not scored."""
    windows = []
    for start in range(0, count, MAX_WINDOW):
        size = min(MAX_WINDOW, count - start)
        no_causes = np.zeros((size, len(CAUSES)), np.float32)
        scores = FrameScores(
            score=np.full(size, score, np.float32),
            weight=np.full(size, SILENT_WEIGHT, np.float32),
            speech=np.zeros(size, np.float32),
            mos=np.full(size, LOWEST_MOS, np.float32),
            causes=no_causes,
            costs=no_causes,
        )
        windows.append(Window(np.broadcast_to(np.float32(0), (size, SPEC.bins)), scores))
    return windows
