"""The causes of a recording: share, severity, worst stretch, the same for any blocks and any length."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqscore.analysis import stretches
from aqscore.analysis.recording_causes import RecordingCauses
from aqscore.analysis.second_causes import MIN_COST, MIN_SPEECH
from aqscore.analysis.stretches import centres_s
from aqscore.causes import CAUSES
from aqscore.model.pooling import FrameScores
from aqscore.report import Cause
from tests.frame_scores import THRESHOLDS, frame_scores, random_scores


def gathered(scores: FrameScores, cuts=(), start_s: float = 0.0) -> RecordingCauses:
    causes = RecordingCauses(THRESHOLDS, start_s)
    edges = [0, *cuts, len(scores.score)]
    for start, stop in zip(edges, edges[1:], strict=False):
        if stop > start:
            causes.add(scores.part(start, stop))
    causes.finish()
    return causes


def by_second(*values: float) -> np.ndarray:
    """(n,) frames with a value for each second."""
    seconds = centres_s(0, 63 * len(values)).astype(int)
    seconds = seconds[seconds < len(values)]
    return np.asarray(values)[seconds]


def outputs(speech: np.ndarray, probability: dict, cost: dict) -> FrameScores:
    return frame_scores(np.full(len(speech), 3.0), speech=speech, causes=probability, costs=cost)


def test_a_cause_in_seconds_3_to_5_is_reported_there():
    noisy = by_second(0, 0, 0, 0.9, 0.9, 0, 0, 0)
    causes = gathered(outputs(np.ones_like(noisy), {"noise": noisy}, {"noise": 1.24}))
    [noise] = causes.causes(8.0)
    assert (noise.kind, noise.from_s, noise.to_s, noise.severity) == ("noise", 3.0, 5.0, 1.2)
    assert noise.share == pytest.approx(0.25, abs=0.005)
    assert causes.kinds() == [None] * 3 + ["noise"] * 2 + [None] * 3


def test_a_clean_recording_has_no_causes():
    speech = by_second(1, 1, 1)
    causes = gathered(outputs(speech, {"noise": 0.3}, {"noise": 0.2}))
    assert causes.causes(3.0) == []
    assert causes.kinds() == [None] * 3


def test_without_speech_there_are_no_causes():
    speech = by_second(0.1, 0.0, 0.1)
    causes = gathered(outputs(speech, {"noise": 1.0}, {"noise": 3.0}))
    assert causes.causes(3.0) == []
    assert causes.kinds() == [None] * 3


def test_share_and_severity_are_weighted_by_speech():
    speech = by_second(1.0, 0.5, 0.5, 0.0)
    scores = outputs(speech, {"noise": by_second(0, 1, 1, 1)}, {"noise": by_second(0, 1, 2, 9)})
    [noise] = gathered(scores).causes(4.0)
    assert noise.share == pytest.approx(0.5 / 1.5, abs=0.005)
    assert noise.severity == 1.5


def test_the_worst_cause_comes_first():
    speech = by_second(1, 1, 1, 1)
    scores = outputs(
        speech,
        {"coding": 0.8, "clipping": by_second(1, 0, 0, 0), "level": 0.9},
        {"coding": 0.5, "clipping": 1.8, "level": 0.4},
    )
    assert [cause.kind for cause in gathered(scores).causes(4.0)] == ["clipping", "coding", "level"]


def test_pauses_do_not_end_the_worst_stretch_and_seconds_without_the_cause_do():
    speech = by_second(1, 1, 1, 1, 0, 0, 1, 1)
    noisy = by_second(1, 1, 0, 1, 0, 0, 1, 0)
    [noise] = gathered(
        outputs(speech, {"noise": noisy}, {"noise": by_second(1, 1, 0, 2, 0, 0, 1.6, 0)})
    ).causes(8)
    assert (noise.from_s, noise.to_s) == (3.0, 7.0)
    [noise] = gathered(
        outputs(speech, {"noise": noisy}, {"noise": by_second(2, 2, 0, 1, 0, 0, 1, 0)})
    ).causes(8)
    assert (noise.from_s, noise.to_s) == (0.0, 2.0)


def test_a_burst_in_steady_noise_is_the_worst_stretch():
    speech = by_second(1, 1, 1, 1, 1, 1)
    scores = outputs(speech, {"noise": 1.0}, {"noise": by_second(1.2, 1.1, 2.4, 2.6, 1.3, 1.2)})
    [noise] = gathered(scores).causes(6.0)
    assert (noise.from_s, noise.to_s, noise.share) == (2.0, 4.0, 1.0)


def test_times_count_from_the_files_beginning_and_end_with_the_recording():
    speech = by_second(1, 1)[:-20]
    [noise] = gathered(outputs(speech, {"noise": 1.0}, {"noise": 1.0}), start_s=10.0).causes(1.7)
    assert (noise.from_s, noise.to_s) == (10.0, 11.7)


@given(seed=st.integers(0, 1_000), frames=st.integers(1, 900), cuts=st.lists(st.integers(0, 900), max_size=8))
def test_nothing_depends_on_the_blocks(seed, frames, cuts):
    scores = random_scores(np.random.default_rng(seed), frames)
    whole = gathered(scores)
    parts = gathered(scores, sorted(min(cut, frames) for cut in cuts))
    assert parts.causes(frames / 62) == whole.causes(frames / 62)
    assert parts.kinds() == whole.kinds()


@given(seed=st.integers(0, 1_000), seconds=st.integers(1, 12))
def test_the_causes_are_those_of_the_definition(seed, seconds):
    """The definition second by second, in plain words; ``docs/report.md`` has it for users."""
    scores = random_scores(np.random.default_rng(seed), len(by_second(*[0] * seconds)))
    assert gathered(scores).causes(float(seconds)) == defined(scores, seconds)


def defined(scores: FrameScores, seconds: int) -> list[Cause]:
    number = centres_s(0, len(scores.score)).astype(int)
    weights = scores.speech.astype(float) ** 2
    spoken = [at for at in range(seconds) if weights[number == at].mean() >= MIN_SPEECH]
    found = []
    for index, kind in enumerate(CAUSES):
        probabilities, costs = scores.causes[:, index], scores.costs[:, index]

        def mean(values, at):
            here = number == at
            return np.average(values[here], weights=weights[here])

        def total(seconds, values):
            return sum((weights * values)[number == at].sum() for at in seconds)

        present = [at for at in spoken if mean(probabilities, at) >= 0.5 and mean(costs, at) >= MIN_COST]
        if not present:
            continue
        likely_cost = {at: mean(probabilities * costs, at) for at in present}
        runs, run = [], []
        for at in spoken:
            belongs = at in present and likely_cost[at] >= max(likely_cost.values()) - 0.5
            run = [*run, at] if belongs else []
            runs.append(run)
        worst = max(runs, key=lambda run: total(run, probabilities * costs))
        share = total(present, 1) / total(spoken, 1)
        severity = total(present, costs) / total(present, 1)
        likely = total(present, probabilities * costs)
        cause = Cause(
            kind=kind,
            share=round(share, 4),
            severity=round(severity, 1),
            from_s=worst[0],
            to_s=worst[-1] + 1,
        )
        found.append((likely, cause))
    return [cause for _, cause in sorted(found, key=lambda each: -each[0])]


def test_ten_hours_take_no_more_memory_than_one(rng):
    minute = random_scores(rng, 3_750)
    causes = RecordingCauses(THRESHOLDS)
    tracemalloc.start()
    try:
        for _ in range(60):
            causes.add(minute)
        hour = tracemalloc.get_traced_memory()[0]
        for _ in range(540):
            causes.add(minute)
        ten_hours = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    causes.finish()
    assert len(causes.kinds()) <= stretches.MAX_STRETCHES
    assert ten_hours < 1.5 * hour < 1e6
    assert all(0 < cause.share <= 1 and cause.to_s <= 36_000 for cause in causes.causes(36_000.0))
