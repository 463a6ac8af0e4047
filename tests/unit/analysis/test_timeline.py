"""Timeline: the summaries of a report, the same for any blocks, bounded for any length."""

import numpy as np
import pytest

from aqscore.analysis import stretches
from aqscore.analysis import timeline as module
from aqscore.analysis.timeline import Timeline
from aqscore.model.features import SPEC
from aqscore.model.pooling import FrameScores
from tests.frame_scores import THRESHOLDS, frame_scores, random_scores


def gathered(scores: FrameScores, cuts=(), power=1.0) -> Timeline:
    timeline = Timeline(0.5, power, THRESHOLDS)
    edges = [0, *cuts, len(scores.score)]
    for start, stop in zip(edges, edges[1:], strict=False):
        timeline.add(scores.part(start, stop))
    timeline.finish()
    return timeline


def test_the_overall_score_is_the_weighted_mean():
    assert gathered(frame_scores([1.0, 4.0], weight=[3.0, 1.0])).overall == pytest.approx(1.75)


def test_the_mos_is_the_mean_weighted_by_the_square_of_the_speech_probability():
    scores = frame_scores(
        [4.0, 4.0, 4.0], weight=[9.0, 1.0, 1.0], speech=[1.0, 0.5, 0.0], mos=[2.0, 4.5, 5.0]
    )
    assert gathered(scores, [1]).mos == scores.overall_mos() == pytest.approx(2.5)
    assert np.isnan(gathered(frame_scores([4.0], speech=[0.0])).mos)


def test_each_second_names_the_cause_that_costs_most_among_those_present():
    noisy = np.repeat([0.0, 0.9, 0.9, 0.4], 62)[:246]
    scores = frame_scores(
        np.full(246, 3.0), causes={"noise": noisy, "level": 0.8}, costs={"noise": 1.0, "level": 0.3}
    )
    causes = [segment.cause for segment in gathered(scores, [100]).segments(4.0)]
    assert causes == ["level", "noise", "noise", "level"]
    assert {segment.cause for segment in gathered(frame_scores(np.full(246, 3.0))).segments(4.0)} == {None}


def test_with_a_power_the_worst_frames_count_for_most():
    scores = frame_scores([4.64] * 7 + [2.64])
    assert gathered(scores, power=3.0).overall == pytest.approx(4.64 - 2 / 8 ** (1 / 3))
    assert scores.overall(3.0) == pytest.approx(4.64 - 2 / 8 ** (1 / 3))
    # A second is pooled as the whole is.
    assert gathered(scores, power=3.0).segments(1.0)[0].score == round(4.64 - 1, 2)
    assert gathered(frame_scores(np.full(100, 4.64)), power=3.0).worst(2.0).score == 4.64


@pytest.mark.parametrize("power", [1.0, 3.0])
def test_nothing_depends_on_the_blocks(rng, power):
    n = 1_000
    scores = random_scores(rng, n)
    whole = gathered(scores, power=power)
    for cuts in ([1], [30, 31, 500], list(range(1, n, 7)), [61, 62, 63, 64]):
        parts = gathered(scores, cuts, power)
        assert parts.overall == pytest.approx(whole.overall)
        assert parts.frames() == whole.frames()
        assert parts.segments(16.0) == whole.segments(16.0)
        assert parts.distribution() == whole.distribution()
        assert parts.worst(16.0) == whole.worst(16.0)
        assert parts.mos == pytest.approx(whole.mos)
        assert parts.causes(16.0) == whole.causes(16.0)


def test_the_worst_second_is_found_wherever_it_begins():
    score = np.full(800, 4.0)
    score[303 : 303 + 62] = 1.5
    worst = gathered(frame_scores(score), [310, 340]).worst(20.0)
    assert worst.start_s == pytest.approx(303 * SPEC.hop_s)
    assert worst.score == 1.5


def test_a_pause_is_never_the_worst_second():
    score, speech = np.full(400, 4.0), np.ones(400)
    score[100:200], speech[100:200] = 1.1, 0.0
    worst = gathered(frame_scores(score, speech=speech, weight=np.where(speech, 1, 0.01))).worst(8.0)
    assert worst.score > 3.5


def test_a_recording_shorter_than_a_second_is_its_own_worst_second():
    worst = gathered(frame_scores([2.0] * 20 + [3.0] * 20), [5]).worst(0.7)
    assert (worst.start_s, worst.end_s, worst.score) == (0.0, 0.7, 2.5)


def test_segments_cover_the_recording_second_by_second():
    segments = gathered(frame_scores(np.repeat([2.0, 3.0], 62))).segments(2.01)
    assert [(s.start_s, s.end_s) for s in segments] == [(0.0, 1.0), (1.0, 2.0)]
    assert [s.score for s in segments] == [2.0, 3.0]


def test_the_distribution_counts_speech_by_verdict():
    score = [1.5, 2.5, 3.0, 3.7, 4.2, 1.1]
    shares = gathered(frame_scores(score, speech=[1, 1, 1, 1, 1, 0])).distribution()
    assert (shares.bad, shares.poor, shares.fair, shares.good, shares.excellent) == (0.2,) * 5


def test_no_speech_no_distribution_no_worst_second():
    timeline = gathered(frame_scores([2.0] * 100, speech=[0.0] * 100))
    assert timeline.distribution() is None
    assert timeline.worst(1.6) is None


@pytest.mark.parametrize("cuts", [[], [1], [6, 9]])
def test_a_score_that_neighbours_share_is_listed_once(cuts):
    timeline = Timeline(0.5, 1.0, THRESHOLDS, frames_per_score=2)
    scores = frame_scores(np.repeat([2.0, 3.0, 4.0, 3.5, 2.5, 1.5], 2)[:-1])  # the last score has one frame
    for start, stop in zip([0, *cuts], [*cuts, 11], strict=True):
        timeline.add(scores.part(start, stop))
    timeline.finish()
    frames = timeline.frames()
    assert frames.scores == [2.0, 3.0, 4.0, 3.5, 2.5, 1.5]
    assert frames.hop_s == 2 * SPEC.hop_s
    assert frames.start_s == pytest.approx(SPEC.first_centre_s + SPEC.hop_s / 2)
    assert not timeline.thinned


@pytest.mark.parametrize("cuts", [[], [7], list(range(100, 4_000, 333))])
def test_long_recordings_are_thinned_by_averaging_neighbours(monkeypatch, rng, cuts):
    monkeypatch.setattr(module, "MAX_VALUES", 1_000)
    monkeypatch.setattr(stretches, "MAX_STRETCHES", 16)
    score = rng.uniform(1.1, 4.6, 4_000).astype(np.float32)
    noisy = np.zeros(4_000)
    noisy[700:1_100] = 1  # from 11.2 s to 17.6 s
    timeline = gathered(frame_scores(score, causes={"noise": noisy}, costs={"noise": 1.0}), cuts)
    frames = timeline.frames()
    assert timeline.thinned
    assert frames.hop_s == 4 * SPEC.hop_s
    assert frames.start_s == pytest.approx(SPEC.first_centre_s + 1.5 * SPEC.hop_s, abs=1e-3)
    np.testing.assert_allclose(frames.scores, score.reshape(-1, 4).mean(axis=1), atol=0.006)
    segments = timeline.segments(64.016)
    assert [s.end_s for s in segments[:2]] == [8.0, 16.0]
    assert [s.cause for s in segments] == [None, *["noise"] * 2, *[None] * 6][: len(segments)]
    assert len(segments) <= 16


def test_ten_hours_stay_readable(rng):
    timeline = Timeline(0.5, 1.0, THRESHOLDS)
    block = random_scores(rng, 22_500)
    for _ in range(100):
        timeline.add(block)
    timeline.finish()
    assert len(timeline.frames().scores) <= module.MAX_VALUES
    assert len(timeline.segments(36_000.0)) <= stretches.MAX_STRETCHES
    assert timeline.worst(36_000.0).end_s <= 36_000.0
