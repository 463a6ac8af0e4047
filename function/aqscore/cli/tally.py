"""The last lines of a run: how many were scored, failed or skipped, the median, the speed."""

import statistics
from collections import Counter

from aqscore.cli.escaping import printable
from aqscore.cli.scoring import Result
from aqscore.report import ErrorRecord
from aqscore.scale import VERDICTS

BAD_BELOW = VERDICTS[-2][0]  # scores below it have the verdict "bad"


class Tally:
    """Counts results."""

    def __init__(self, threshold: float | None = None) -> None:
        """``threshold``: the score that a recording should reach, by default that of the verdict "poor"."""
        self._threshold = BAD_BELOW if threshold is None else threshold
        self._scores: list[float] = []
        self.failed = self.unscored = self.earlier = 0
        self._audio_s = 0.0

    @property
    def below(self) -> int:
        """The number of scores below the threshold."""
        return sum(score < self._threshold for score in self._scores)

    @property
    def finished(self) -> int:
        """The number of results of this run."""
        return len(self._scores) + self.failed + self.unscored - self.earlier

    def add(self, result: Result) -> None:
        """Counts a result of this run."""
        if isinstance(result, ErrorRecord):
            self.failed += 1
            return
        self._add_score(result.score)
        self._audio_s += result.media.duration_s

    def add_earlier(self, *, failed: bool, score: float | None) -> None:
        """Counts a result that was there before this run."""
        self.earlier += 1
        if failed:
            self.failed += 1
        else:
            self._add_score(score)

    def line(self, skipped: int, elapsed_s: float) -> str:
        """For example: 40 scored, 2 failed, 3 skipped · median 2.9 · 7 below 2.0 · 412x real time."""
        counts = [f"{len(self._scores):,} scored"]
        for count, text in (
            (self.unscored, "without a score"), (self.failed, "failed"), (skipped, "skipped"),
            (self.earlier, "of them from earlier"),
        ):  # fmt: skip
            if count:
                counts.append(f"{count:,} {text}")
        parts = [", ".join(counts)]
        if self._scores:
            parts.append(f"median {statistics.median(self._scores):.1f}")
            parts.append(f"{self.below:,} below {_number(self._threshold)}")
        if self._audio_s and elapsed_s > 0:
            parts.append(f"{self._audio_s / elapsed_s:,.0f}x real time")
        return " · ".join(parts)

    def _add_score(self, score: float | None) -> None:
        if score is None:
            self.unscored += 1
        else:
            self._scores.append(score)


def skipped_line(skipped: Counter[str]) -> str:
    """For example: 3 files skipped: .txt 2, .pdf 1."""
    kinds = ", ".join(f"{printable(kind)} {count:,}" for kind, count in skipped.most_common())
    total = skipped.total()
    return f"{total:,} {'file' if total == 1 else 'files'} skipped: {kinds}"


def _number(value: float) -> str:
    return f"{value:.1f}" if value == round(value, 1) else f"{value:g}"
