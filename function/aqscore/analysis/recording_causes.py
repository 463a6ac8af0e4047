"""The causes of a recording: how much of it each affects, what it costs, and where it is worst."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aqscore.analysis.second_causes import causes_in, main_cause
from aqscore.analysis.stretches import SECOND_S, Stretches, centres_s
from aqscore.causes import CAUSES, CauseKind
from aqscore.model.pooling import FrameScores, joined, no_frames
from aqscore.report import Cause


class RecordingCauses:
    """Takes the outputs for frames as they come, and decides on the causes of each second.

    Nothing depends on how the frames are cut, because a second is decided when all of its frames are known.
    Memory: the frames of a second, and eight numbers for each stretch of ``Stretches``.
    """

    def __init__(self, thresholds: Sequence[float], start_s: float = 0.0) -> None:
        """``thresholds`` (8,) are the probabilities from which each cause counts as present.

        ``start_s`` is the beginning of the first frame in the file.
        """
        self._thresholds = np.asarray(thresholds, np.float64)
        self._start_s = start_s
        self._count = 0
        self._rest = no_frames()  # the frames of the second that is not complete
        self._speech = 0.0  # sum of the speech weights, and of those of the seconds with each cause
        self._affected = np.zeros(len(CAUSES))
        self._costs = np.zeros(len(CAUSES))
        self._likely_costs = np.zeros(len(CAUSES))
        self._worst = _WorstRuns()
        self._stretches = Stretches(len(CAUSES))

    def add(self, scores: FrameScores) -> None:
        """Takes the next frames, at least one."""
        frames = joined([self._rest, scores])
        self._count += len(scores.score)
        seconds = self._seconds(frames)
        complete = int(np.searchsorted(seconds, seconds[-1]))
        self._decide(frames.part(None, complete), seconds[:complete])
        self._rest = frames.part(complete, None)

    def finish(self) -> None:
        """Decides on the last second, which may be shorter."""
        self._decide(self._rest, self._seconds(self._rest))
        self._rest = no_frames()

    def kinds(self) -> list[CauseKind | None]:
        """The cause that costs most in each stretch of the timeline; None where there is none."""
        return [main_cause(likely_costs) for likely_costs in self._stretches.sums]

    def causes(self, duration_s: float) -> list[Cause]:
        """The causes, that with the highest likely cost over the whole recording first.

        ``duration_s`` is the recording's: the last second ends there.
        """
        present = np.flatnonzero(self._affected)
        return [
            Cause(
                kind=CAUSES[kind],
                share=round(self._affected[kind] / self._speech, 4),
                severity=round(self._costs[kind] / self._affected[kind], 1),
                from_s=round(self._start_s + self._worst.start[kind] * SECOND_S, 3),
                to_s=round(self._start_s + min(self._worst.stop[kind] * SECOND_S, duration_s), 3),
            )
            for kind in sorted(present.tolist(), key=lambda kind: -self._likely_costs[kind])
        ]

    def _seconds(self, frames: FrameScores) -> NDArray[np.int64]:
        """(n,) the second that each of the last n frames lies in."""
        size = len(frames.score)
        return (centres_s(self._count - size, size) / SECOND_S).astype(np.int64)

    def _decide(self, scores: FrameScores, seconds: NDArray[np.int64]) -> None:
        """Takes the frames of complete seconds, and the second of each."""
        if len(seconds) == 0:
            return
        frames = np.bincount(seconds - seconds[0])
        numbers = np.arange(seconds[0], seconds[0] + len(frames))
        found = causes_in(scores, frames, self._thresholds)
        self._stretches.add((numbers.astype(np.float64) + 0.5) * SECOND_S, found.likely_costs)
        # Second by second, so that the sums are the same to the last bit for any blocks.
        for number, speech, present, costs, likely_costs in zip(numbers.tolist(), *found, strict=True):
            if speech > 0:
                self._speech += float(speech)
                self._affected += speech * present
                self._costs += costs
                self._likely_costs += likely_costs
                self._worst.add(number, present, likely_costs)


class _WorstRuns:
    """For each kind the run of seconds with it that costs most. Seconds without speech don't end a run."""

    def __init__(self) -> None:
        self.start = np.zeros(len(CAUSES), np.int64)  # of the worst run: its first second
        self.stop = np.zeros(len(CAUSES), np.int64)  # and the one after its last
        self._cost = np.zeros(len(CAUSES))
        self._current_start = np.zeros(len(CAUSES), np.int64)
        self._current_cost = np.zeros(len(CAUSES))  # 0 outside of runs

    def add(self, second: int, present: NDArray[np.bool_], likely_costs: NDArray[np.float64]) -> None:
        """Takes the next second with speech."""
        self._current_start = np.where(self._current_cost > 0, self._current_start, second)
        self._current_cost = np.where(present, self._current_cost + likely_costs, 0.0)
        worse = self._current_cost > self._cost
        self._cost = np.where(worse, self._current_cost, self._cost)
        self.start = np.where(worse, self._current_start, self.start)
        self.stop = np.where(worse, second + 1, self.stop)
