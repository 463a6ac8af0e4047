"""WorstSecond: the lowest score over a rolling second, the same for any blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqscore.analysis.worst_second import MIN_SPEECH_SHARE, WINDOW_FRAMES, WorstSecond
from aqscore.model.pooling import FrameScores

POWER = 3.0


def found(scores: FrameScores, cuts: list[int]) -> tuple[float | None, int]:
    worst = WorstSecond(POWER)
    edges = [0, *cuts, len(scores.score)]
    for start, stop in zip(edges, edges[1:], strict=False):
        if stop > start:
            part = scores.part(start, stop)
            worst.add(part.distances(POWER), part.weight, part.speech >= 0.5)
    return worst.score, worst.start_frame


@given(seed=st.integers(0, 1_000), frames=st.integers(1, 200), cuts=st.lists(st.integers(0, 200), max_size=5))
def test_it_is_the_lowest_of_all_seconds_with_enough_speech(seed, frames, cuts):
    rng = np.random.default_rng(seed)
    speech = (rng.random(frames) < rng.choice([0.2, 0.3, 0.9])).astype(np.float32)
    score, weight = rng.uniform(1.04, 4.64, frames), rng.uniform(0.1, 1, frames)
    scores = FrameScores(score.astype(np.float32), weight.astype(np.float32), speech)
    width = min(frames, WINDOW_FRAMES)
    seconds = {
        start: scores.part(start, start + width).overall(POWER)
        for start in range(frames - width + 1)
        if speech[start : start + width].sum() >= MIN_SPEECH_SHARE * width
    }
    lowest, start = found(scores, sorted(min(cut, frames) for cut in cuts))
    if not seconds:
        assert lowest is None
    else:
        assert lowest == pytest.approx(min(seconds.values()))
        assert seconds[start] == pytest.approx(lowest)
