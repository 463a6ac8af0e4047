"""Timeline: the summaries of a report, the same for any blocks, bounded for any length."""

import numpy as np
import pytest

from aqscore.analysis import timeline as module
from aqscore.analysis.timeline import Timeline
from aqscore.model.features import SPEC
from aqscore.model.pooling import FrameScores


def scores_of(score, weight=None, speech=None) -> FrameScores:
    score = np.asarray(score, np.float32)
    full = np.ones_like(score)
    return FrameScores(
        score, full if weight is None else np.asarray(weight, np.float32),
        full if speech is None else np.asarray(speech, np.float32),
    )  # fmt: skip


def gathered(scores: FrameScores, cuts=(), power=1.0) -> Timeline:
    timeline = Timeline(0.5, power)
    edges = [0, *cuts, len(scores.score)]
    for start, stop in zip(edges, edges[1:], strict=False):
        timeline.add(scores.part(start, stop))
    return timeline


def test_the_overall_score_is_the_weighted_mean():
    assert gathered(scores_of([1.0, 4.0], weight=[3.0, 1.0])).overall == pytest.approx(1.75)


def test_with_a_power_the_worst_frames_count_for_most():
    scores = scores_of([4.64] * 7 + [2.64])
    assert gathered(scores, power=3.0).overall == pytest.approx(4.64 - 2 / 8 ** (1 / 3))
    assert scores.overall(3.0) == pytest.approx(4.64 - 2 / 8 ** (1 / 3))
    # A second is pooled as the whole is.
    assert gathered(scores, power=3.0).segments(1.0)[0].score == round(4.64 - 1, 2)
    assert gathered(scores_of(np.full(100, 4.64)), power=3.0).worst(2.0).score == 4.64


@pytest.mark.parametrize("power", [1.0, 3.0])
def test_nothing_depends_on_the_blocks(rng, power):
    n = 1_000
    scores = scores_of(rng.uniform(1.1, 4.6, n), rng.uniform(0.1, 1, n), rng.uniform(0, 1, n))
    whole = gathered(scores, power=power)
    for cuts in ([1], [30, 31, 500], list(range(1, n, 7)), [61, 62, 63, 64]):
        parts = gathered(scores, cuts, power)
        assert parts.overall == pytest.approx(whole.overall)
        assert parts.frames() == whole.frames()
        assert parts.segments(16.0) == whole.segments(16.0)
        assert parts.distribution() == whole.distribution()
        assert parts.worst(16.0) == whole.worst(16.0)


def test_the_worst_second_is_found_wherever_it_begins():
    score = np.full(800, 4.0)
    score[303 : 303 + 62] = 1.5
    worst = gathered(scores_of(score), [310, 340]).worst(20.0)
    assert worst.start_s == pytest.approx(303 * SPEC.hop_s)
    assert worst.score == 1.5


def test_a_pause_is_never_the_worst_second():
    score, speech = np.full(400, 4.0), np.ones(400)
    score[100:200], speech[100:200] = 1.1, 0.0
    worst = gathered(scores_of(score, speech=speech, weight=np.where(speech, 1, 0.01))).worst(8.0)
    assert worst.score > 3.5


def test_a_recording_shorter_than_a_second_is_its_own_worst_second():
    worst = gathered(scores_of([2.0] * 20 + [3.0] * 20), [5]).worst(0.7)
    assert (worst.start_s, worst.end_s, worst.score) == (0.0, 0.7, 2.5)


def test_segments_cover_the_recording_second_by_second():
    segments = gathered(scores_of(np.repeat([2.0, 3.0], 62))).segments(2.01)
    assert [(s.start_s, s.end_s) for s in segments] == [(0.0, 1.0), (1.0, 2.0)]
    assert [s.score for s in segments] == [2.0, 3.0]


def test_the_distribution_counts_speech_by_verdict():
    score = [1.5, 2.5, 3.0, 3.7, 4.2, 1.1]
    shares = gathered(scores_of(score, speech=[1, 1, 1, 1, 1, 0])).distribution()
    assert (shares.bad, shares.poor, shares.fair, shares.good, shares.excellent) == (0.2,) * 5


def test_no_speech_no_distribution_no_worst_second():
    timeline = gathered(scores_of([2.0] * 100, speech=[0.0] * 100))
    assert timeline.distribution() is None
    assert timeline.worst(1.6) is None


@pytest.mark.parametrize("cuts", [[], [1], [6, 9]])
def test_a_score_that_neighbours_share_is_listed_once(cuts):
    timeline = Timeline(0.5, 1.0, frames_per_score=2)
    scores = scores_of(np.repeat([2.0, 3.0, 4.0, 3.5, 2.5, 1.5], 2)[:-1])  # the last score has one frame
    for start, stop in zip([0, *cuts], [*cuts, 11], strict=True):
        timeline.add(scores.part(start, stop))
    frames = timeline.frames()
    assert frames.scores == [2.0, 3.0, 4.0, 3.5, 2.5, 1.5]
    assert frames.hop_s == 2 * SPEC.hop_s
    assert frames.start_s == pytest.approx(SPEC.first_centre_s + SPEC.hop_s / 2)
    assert not timeline.thinned


@pytest.mark.parametrize("cuts", [[], [7], list(range(100, 4_000, 333))])
def test_long_recordings_are_thinned_by_averaging_neighbours(monkeypatch, rng, cuts):
    monkeypatch.setattr(module, "MAX_VALUES", 1_000)
    monkeypatch.setattr(module, "MAX_SEGMENTS", 16)
    score = rng.uniform(1.1, 4.6, 4_000).astype(np.float32)
    timeline = gathered(scores_of(score), cuts)
    frames = timeline.frames()
    assert timeline.thinned
    assert frames.hop_s == 4 * SPEC.hop_s
    assert frames.start_s == pytest.approx(SPEC.first_centre_s + 1.5 * SPEC.hop_s, abs=1e-3)
    np.testing.assert_allclose(frames.scores, score.reshape(-1, 4).mean(axis=1), atol=0.006)
    segments = timeline.segments(64.016)
    assert [s.end_s for s in segments[:2]] == [8.0, 16.0]
    assert len(segments) <= 16


def test_ten_hours_stay_readable(rng):
    timeline = Timeline(0.5, 1.0)
    block = scores_of(rng.uniform(1.1, 4.6, 22_500))
    for _ in range(100):
        timeline.add(block)
    assert len(timeline.frames().scores) <= module.MAX_VALUES
    assert len(timeline.segments(36_000.0)) <= module.MAX_SEGMENTS
    assert timeline.worst(36_000.0).end_s <= 36_000.0
