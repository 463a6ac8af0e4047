"""The causes of a recording: how much of it each affects, what it costs, and where it is worst."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aqscore.analysis.second_causes import causes_in, main_cause
from aqscore.analysis.stretches import SECOND_S, Stretches, centres_s
from aqscore.causes import CAUSES, CauseKind
from aqscore.model.pooling import FrameScores, joined, no_frames
from aqscore.report import Cause

NEARLY = 0.5  # MOS-LQO: a burst stands out from a steady cause, and a steady cause is one stretch


class RecordingCauses:
    """Takes the outputs for frames as they come, and decides on the causes of each second.

    Nothing depends on how the frames are cut, because a second is decided when all of its frames are known.
    Memory: the frames of a second, and nine numbers for each stretch of ``Stretches``.
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
        self._stretches = Stretches(len(CAUSES) + 1)  # sums of likely costs, and of speech weights

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
        return [main_cause(likely_costs) for likely_costs in self._stretches.sums[:, :-1]]

    def causes(self, duration_s: float) -> list[Cause]:
        """The causes, that with the highest likely cost over the whole recording first.

        ``duration_s`` is the recording's: the last second ends there.
        """
        present = np.flatnonzero(self._affected).tolist()
        return [
            self._cause(kind, duration_s)
            for kind in sorted(present, key=lambda kind: -self._likely_costs[kind])
        ]

    def _cause(self, kind: int, duration_s: float) -> Cause:
        first, last = worst_run(self._stretches.sums[:, kind], self._stretches.sums[:, -1])
        length_s = self._stretches.length_s
        return Cause(
            kind=CAUSES[kind],
            share=round(self._affected[kind] / self._speech, 4),
            severity=round(self._costs[kind] / self._affected[kind], 1),
            from_s=round(self._start_s + first * length_s, 3),
            to_s=round(self._start_s + min((last + 1) * length_s, duration_s), 3),
        )

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
        sums = np.column_stack([found.likely_costs, found.speech])
        self._stretches.add((numbers.astype(np.float64) + 0.5) * SECOND_S, sums)
        # Second by second, so that the sums are the same to the last bit for any blocks.
        for speech, present, costs, likely_costs in zip(*found, strict=True):
            if speech > 0:
                self._speech += float(speech)
                self._affected += speech * present
                self._costs += costs
                self._likely_costs += likely_costs


def worst_run(likely_costs: NDArray[np.float64], speech: NDArray[np.float64]) -> tuple[int, int]:
    """The first and the last stretch of the worst run of stretches that have a cause.

    A run's stretches cost nearly as much as the worst one: within ``NEARLY``. Of several runs, that with the
    highest cost in sum is taken. Stretches without speech don't end a run. Both arguments are sums over each
    of (n,) stretches, with a cost in one of them at least.
    """
    spoken = np.flatnonzero(speech)
    costs = likely_costs[spoken] / speech[spoken]
    belongs = (costs > 0) & (costs >= costs.max() - NEARLY)
    run = np.cumsum(~belongs)  # the same number throughout a run
    sums = np.bincount(run, np.where(belongs, likely_costs[spoken], 0.0))
    worst = spoken[belongs & (run == np.argmax(sums))]
    return int(worst[0]), int(worst[-1])
