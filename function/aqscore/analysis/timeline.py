"""Frame scores gathered into what a report shows, in bounded memory for any length of recording."""

import numpy as np

from aqscore.model.features import SPEC
from aqscore.model.pooling import FrameScores, pooled
from aqscore.report import Distribution, Frames, Segment
from aqscore.scale import VERDICTS

MAX_VALUES = 20_000  # five minutes of single frames; beyond, neighbours are averaged
MAX_SEGMENTS = 3_600
SEGMENT_S = 1.0
WORST_FRAMES = round(SEGMENT_S / SPEC.hop_s)
LEAST_SPEECH_SHARE = 0.25  # less speech than this, and a second can't be the worst one


class Timeline:
    """Takes the scores of frames as they come; every summary is there at any time."""

    def __init__(self, speech_probability: float, power: float, start_s: float = 0.0) -> None:
        """Frames with at least that probability of speech count as speech.

        ``power`` is the model's, by which frames are pooled; ``start_s`` is where in the file the first
        frame begins.
        """
        self._power = power
        self._speech_probability = speech_probability
        self._start_s = start_s
        self._count = 0
        self._distance_sum = self._weight_sum = 0.0
        self._group = 1  # frames averaged into one value
        self._values = np.empty(0)
        self._rest = np.empty(0, np.float32)
        self._segment_s = SEGMENT_S
        self._segments = np.zeros((0, 3))  # sums of distances, of weights, and of frames
        self._classes = np.zeros(len(VERDICTS), np.int64)
        self._worst = (np.inf, 0)
        self._recent: FrameScores | None = None

    def add(self, scores: FrameScores) -> None:
        """Takes the next (n,) frames' scores, weights and speech probabilities."""
        distances = scores.distances(self._power)
        self._distance_sum += float(distances.sum())
        self._weight_sum += float(scores.weight.sum(dtype=np.float64))
        self._add_values(scores.score)
        self._add_segments(distances, scores.weight)
        self._add_classes(scores.score[scores.speech >= self._speech_probability])
        self._look_for_worst(scores)
        self._count += len(scores.score)

    @property
    def overall(self) -> float:
        """The score of all frames together, MOS-LQO; NaN before the first frame."""
        return pooled(self._distance_sum, self._weight_sum, self._power) if self._weight_sum else np.nan

    def frames(self) -> Frames:
        """A score for each frame, or for each group of 2^k neighbours in a long recording."""
        values = self._values
        if len(self._rest):
            values = np.append(values, self._rest.mean())
        return Frames(
            hop_s=self.hop_s,
            start_s=round(self._start_s + SPEC.first_centre_s + SPEC.hop_s * (self._group - 1) / 2, 3),
            scores=np.round(values.astype(np.float64), 2).tolist(),
        )

    @property
    def hop_s(self) -> float:
        """Seconds from one value of ``frames()`` to the next."""
        return SPEC.hop_s * self._group

    @property
    def thinned(self) -> bool:
        """Whether ``frames()`` returns averages over more than one frame."""
        return self._group > 1

    def segments(self, duration_s: float) -> list[Segment]:
        """Seconds (or 2^k seconds of a long recording), each with the score of its frames together."""
        return [
            Segment(
                start_s=round(self._start_s + index * self._segment_s, 3),
                end_s=round(self._start_s + min((index + 1) * self._segment_s, duration_s), 3),
                score=round(pooled(distance, weight, self._power), 2),
            )
            for index, (distance, weight, count) in enumerate(self._segments)
            if count
        ]

    def worst(self, duration_s: float) -> Segment | None:
        """The second with the lowest score, wherever it begins, of those in which somebody speaks."""
        score, first = self._worst
        if not np.isfinite(score):
            return None
        start_s = first * SPEC.hop_s
        return Segment(
            start_s=round(self._start_s + start_s, 3),
            end_s=round(self._start_s + min(start_s + SEGMENT_S, duration_s), 3),
            score=round(score, 2),
        )

    def distribution(self) -> Distribution | None:
        """The share of the speech in each verdict's class; None without speech."""
        total = self._classes.sum()
        if total == 0:
            return None
        return Distribution(
            **{word: round(n / total, 4) for (_, word), n in zip(VERDICTS, self._classes, strict=True)}
        )

    def _add_values(self, score: np.ndarray) -> None:
        self._rest = np.concatenate([self._rest, score])
        whole = len(self._rest) // self._group * self._group
        means = self._rest[:whole].reshape(-1, self._group).mean(axis=1)
        self._values, self._rest = np.concatenate([self._values, means]), self._rest[whole:]
        while len(self._values) > MAX_VALUES:
            if len(self._values) % 2:
                # An odd value out goes back to the rest: as many frames, all at its mean.
                odd = np.full(self._group, self._values[-1], np.float32)
                self._values, self._rest = self._values[:-1], np.concatenate([odd, self._rest])
            self._values = self._values.reshape(-1, 2).mean(axis=1)
            self._group *= 2

    def _add_segments(self, distances: np.ndarray, weight: np.ndarray) -> None:
        centres = SPEC.first_centre_s + SPEC.hop_s * np.arange(self._count, self._count + len(weight))
        while centres[-1] >= self._segment_s * MAX_SEGMENTS:
            padded = np.pad(self._segments, ((0, len(self._segments) % 2), (0, 0)))
            self._segments = padded.reshape(-1, 2, 3).sum(axis=1)
            self._segment_s *= 2
        index = (centres / self._segment_s).astype(np.int64)
        grown = max(len(self._segments), index[-1] + 1)
        self._segments = np.pad(self._segments, ((0, grown - len(self._segments)), (0, 0)))
        for column, values in enumerate((distances, weight, np.ones(len(index)))):
            self._segments[:, column] += np.bincount(index, values, minlength=grown)

    def _add_classes(self, score: np.ndarray) -> None:
        at_least = [np.count_nonzero(score >= least) for least, _ in VERDICTS[:-1]] + [len(score)]
        self._classes += np.diff(at_least, prepend=0)

    def _look_for_worst(self, scores: FrameScores) -> None:
        if self._recent is not None:
            scores = FrameScores(*(np.concatenate(pair) for pair in zip(self._recent, scores, strict=True)))
        first = self._count - (0 if self._recent is None else len(self._recent.score))
        self._recent = scores.part(-(WORST_FRAMES - 1), None)
        width = min(WORST_FRAMES, len(scores.score))
        if width < WORST_FRAMES and first > 0:
            return
        speech = scores.speech >= self._speech_probability
        distance, weight, spoken = (
            _moving_sum(v, width) for v in (scores.distances(self._power), scores.weight, speech)
        )
        mean = np.where(spoken >= LEAST_SPEECH_SHARE * width, pooled(distance, weight, self._power), np.inf)
        at = int(mean.argmin())
        # A first block shorter than a second is only a candidate until the second is whole.
        if mean[at] < self._worst[0] or self._count < WORST_FRAMES:
            self._worst = (float(mean[at]), first + at)


def _moving_sum(values: np.ndarray, width: int) -> np.ndarray:
    """(n,) -> (n - width + 1,): the sums of every ``width`` neighbours."""
    sums = np.cumsum(values, dtype=np.float64)
    return sums[width - 1 :] - np.concatenate([[0.0], sums[:-width]])
