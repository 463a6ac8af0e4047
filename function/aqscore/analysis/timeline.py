"""The timeline: frame scores summarised for the report, in bounded memory for any length of recording."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aqscore.analysis.recording_causes import RecordingCauses
from aqscore.analysis.stretches import SECOND_S, Stretches, centres_s
from aqscore.analysis.worst_second import WorstSecond
from aqscore.model.features import SPEC
from aqscore.model.pooling import FrameScores, pooled
from aqscore.report import Cause, Distribution, Frames, Segment
from aqscore.scale import VERDICTS

MAX_VALUES = 10_000  # five minutes of pairs of frames; in longer recordings, neighbours are averaged


class Timeline:
    """Takes the network's outputs for frames as they come. After ``finish``, summaries hold all of them."""

    def __init__(
        self,
        speech_probability: float,
        power: float,
        cause_thresholds: Sequence[float],
        start_s: float = 0.0,
        *,
        frames_per_score: int = 1,
    ) -> None:
        """Frames with at least ``speech_probability`` count as speech.

        ``power``, by which frames are pooled, and ``cause_thresholds`` (8,) are the model's. ``start_s`` is
        the beginning of the first frame in the file. ``frames_per_score`` is the number of neighbours to
        which the network gives one score: ``frames()`` lists it once.
        """
        self._power = power
        self._speech_probability = speech_probability
        self._start_s = start_s
        self._count = 0
        self._distance_sum = self._weight_sum = 0.0
        self._mos_sum = self._speech_sum = 0.0
        self._frames_per_score = frames_per_score
        self._group = frames_per_score  # frames averaged into one value
        self._values = np.empty(0)
        self._rest = np.empty(0, np.float32)
        self._segments = Stretches(3)  # sums of distances, of weights, and of frames
        self._classes = np.zeros(len(VERDICTS), np.int64)
        self._worst = WorstSecond(speech_probability, power, cause_thresholds)
        self._causes = RecordingCauses(cause_thresholds, start_s)

    def add(self, scores: FrameScores) -> None:
        """Takes the outputs for the next frames, at least one."""
        distances = scores.distances(self._power)
        self._distance_sum += float(distances.sum())
        self._weight_sum += float(scores.weight.sum(dtype=np.float64))
        speech_weight = scores.speech_weight
        self._mos_sum += float(np.dot(speech_weight, scores.mos))
        self._speech_sum += float(speech_weight.sum())
        self._add_values(scores.score)
        sums = np.stack([distances, scores.weight, np.ones(len(distances))], axis=1)
        self._segments.add(centres_s(self._count, len(sums)), sums)
        self._add_classes(scores.score[scores.speech >= self._speech_probability])
        self._worst.add(scores)
        self._causes.add(scores)
        self._count += len(scores.score)

    def finish(self) -> None:
        """Decides on the causes of the last second."""
        self._causes.finish()

    @property
    def overall(self) -> float:
        """The score of all frames together, MOS-LQO; NaN before the first frame."""
        if self._weight_sum == 0:
            return np.nan
        return float(pooled(self._distance_sum, self._weight_sum, self._power))

    @property
    def mos(self) -> float:
        """The MOS of all speech together, 1 to 5; NaN without any."""
        return self._mos_sum / self._speech_sum if self._speech_sum else np.nan

    def causes(self, duration_s: float) -> list[Cause]:
        """The causes of a low score, worst first. ``duration_s`` is the recording's."""
        return self._causes.causes(duration_s)

    def frames(self) -> Frames:
        """Each score of the network, or in a long recording the mean of 2^k neighbours."""
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
        """Whether ``frames()`` returns averages over more than one score of the network."""
        return self._group > self._frames_per_score

    def segments(self, duration_s: float) -> list[Segment]:
        """The recording in seconds, or in stretches of 2^k seconds, each with its score and its main cause.

        ``duration_s`` is the recording's: the last stretch ends there.
        """
        length_s = self._segments.length_s
        stretches = zip(self._segments.sums, self._causes.kinds(), strict=True)
        return [
            Segment(
                start_s=round(self._start_s + index * length_s, 3),
                end_s=round(self._start_s + min((index + 1) * length_s, duration_s), 3),
                score=round(pooled(distance, weight, self._power), 2),
                cause=cause,
            )
            for index, ((distance, weight, count), cause) in enumerate(stretches)
            if count
        ]

    def worst(self, duration_s: float) -> Segment | None:
        """The second with the lowest score, wherever it begins; None without enough speech."""
        if self._worst.score is None:
            return None
        start_s = self._worst.start_frame * SPEC.hop_s
        return Segment(
            start_s=round(self._start_s + start_s, 3),
            end_s=round(self._start_s + min(start_s + SECOND_S, duration_s), 3),
            score=round(self._worst.score, 2),
            cause=self._worst.cause,
        )

    def distribution(self) -> Distribution | None:
        """The share of the speech frames in each verdict's class, 0 to 1; None without speech."""
        total = self._classes.sum()
        if total == 0:
            return None
        return Distribution(
            **{word: round(n / total, 4) for (_, word), n in zip(VERDICTS, self._classes, strict=True)}
        )

    def _add_values(self, score: NDArray[np.float32]) -> None:
        self._rest = np.concatenate([self._rest, score])
        whole = len(self._rest) // self._group * self._group
        means = self._rest[:whole].reshape(-1, self._group).mean(axis=1)
        self._values, self._rest = np.concatenate([self._values, means]), self._rest[whole:]
        while len(self._values) > MAX_VALUES:
            if len(self._values) % 2:
                # The last of an odd number of values goes back to the rest, as frames that all have its mean.
                odd = np.full(self._group, self._values[-1], np.float32)
                self._values, self._rest = self._values[:-1], np.concatenate([odd, self._rest])
            self._values = self._values.reshape(-1, 2).mean(axis=1)
            self._group *= 2

    def _add_classes(self, score: NDArray[np.float32]) -> None:
        at_least = [int(np.count_nonzero(score >= threshold)) for threshold, _ in VERDICTS[:-1]]
        self._classes += np.diff(np.array([0, *at_least, len(score)]))
