"""WorstSecond: the lowest score over a rolling second, the same for any blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqscore.analysis.worst_second import MIN_SPEECH_SHARE, WINDOW_FRAMES, WorstSecond
from aqscore.model.pooling import FrameScores
from tests.frame_scores import THRESHOLDS, frame_scores

POWER = 3.0


def found(scores: FrameScores, cuts: list[int]) -> WorstSecond:
    worst = WorstSecond(0.5, POWER, THRESHOLDS)
    edges = [0, *cuts, len(scores.score)]
    for start, stop in zip(edges, edges[1:], strict=False):
        if stop > start:
            worst.add(scores.part(start, stop))
    return worst


@given(seed=st.integers(0, 1_000), frames=st.integers(1, 200), cuts=st.lists(st.integers(0, 200), max_size=5))
def test_it_is_the_lowest_of_all_seconds_with_enough_speech(seed, frames, cuts):
    rng = np.random.default_rng(seed)
    speech = (rng.random(frames) < rng.choice([0.2, 0.3, 0.9])).astype(np.float32)
    score, weight = rng.uniform(1.04, 4.64, frames), rng.uniform(0.1, 1, frames)
    scores = frame_scores(score, weight, speech)
    width = min(frames, WINDOW_FRAMES)
    seconds = {
        start: scores.part(start, start + width).overall(POWER)
        for start in range(frames - width + 1)
        if speech[start : start + width].sum() >= MIN_SPEECH_SHARE * width
    }
    worst = found(scores, sorted(min(cut, frames) for cut in cuts))
    if not seconds:
        assert worst.score is None
    else:
        assert worst.score == pytest.approx(min(seconds.values()))
        assert seconds[worst.start_frame] == pytest.approx(worst.score)


def test_its_cause_is_the_one_that_costs_most_among_those_in_it():
    score = np.full(400, 4.0)
    score[150:212] = 1.5
    here = np.where(score < 2, 0.9, 0.0)
    scores = frame_scores(
        score,
        causes={"noise": here, "clipping": here, "coding": 0.4, "level": 1.0},
        costs={"noise": 0.6, "clipping": 1.2, "coding": 3.0, "level": 0.4},
    )
    for cuts in ([], [151, 190], [300]):
        worst = found(scores, cuts)
        assert (worst.start_frame, worst.cause) == (150, "clipping")
    assert found(frame_scores(score), []).cause is None
