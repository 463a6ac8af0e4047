"""Score stream: frames in = frames out, however they arrive, for any sequence of sound and silence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqscore.model.features import SPEC, FrameStream, frames_of
from aqscore.model.high_pass import high_pass
from aqscore.model.loading import Model
from aqscore.model.pooling import FrameScores, joined
from aqscore.model.score_stream import ScoreStream
from aqscore.model.silence import FIRST_EDGE, LAST_EDGE, MAX_SILENT_FRAMES
from aqscore.model.windows import Window
from tests.frame_scores import frame_scores


def assert_frames_in_are_frames_out(windows: list[Window], frames: np.ndarray) -> None:
    """The windows hold every frame in its place; only edges beside silence may have become silence."""
    given = np.concatenate([window.frames for window in windows])
    assert given.shape == frames.shape
    sound = np.flatnonzero(frames.any(axis=1))
    edges = [*sound[:FIRST_EDGE], *sound[-LAST_EDGE:]]
    changed = np.flatnonzero((given != frames).any(axis=1))
    assert set(changed) <= set(edges)
    assert not given[changed].any()


def run(stream: ScoreStream, frames: np.ndarray, cuts: list[int]) -> list[Window]:
    """The windows of the frames, pushed in blocks that are cut there."""
    windows = [window for block in np.split(frames, cuts) for window in stream.push(block)]
    return windows + stream.finish()


def outputs(windows: list[Window]) -> FrameScores:
    return joined(window.scores for window in windows)


def overall(model: Model, frames: np.ndarray, block: int) -> tuple[float, np.ndarray]:
    """The score of the frames pushed in blocks of that size, and the scores of all frames."""
    windows = run(model.stream(), frames, list(range(block, len(frames), block)))
    assert_frames_in_are_frames_out(windows, frames)
    scores = outputs(windows)
    return scores.overall(model.power), scores.score


def level_around(frames: np.ndarray) -> FrameScores:
    """A fake network: the mean of each frame and its neighbours."""
    level = np.convolve(frames.mean(axis=1), np.ones(3), "same").astype(np.float32)
    return frame_scores(
        level, level + 1, level, level + 2, {"noise": level}, {"noise": level, "level": level}
    )


# Lengths of stretches of sound (positive) and of digital silence (negative), in frames.
stretches = st.lists(st.one_of(st.integers(1, 5), st.integers(-5, -1), st.integers(-150, 150)), max_size=7)


def frames_with(lengths: list[int]) -> np.ndarray:
    """(n, 257) frames of sound and of silence of these lengths; no two frames of sound are alike."""
    sounding = np.repeat([length > 0 for length in lengths], np.abs(np.array(lengths, int)))
    level = np.where(sounding, np.linspace(0.5, 1, len(sounding)), 0)
    return np.repeat(level[:, None], SPEC.bins, axis=1).astype(np.float32)


@settings(max_examples=200)
@given(lengths=stretches, window=st.integers(1, 80), context=st.integers(0, 40), data=st.data())
def test_frames_in_are_frames_out_however_they_arrive(lengths, window, context, data):
    frames = frames_with(lengths)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(frames)), max_size=12)))
    whole = run(ScoreStream(level_around, window, context), frames, [])
    streamed = run(ScoreStream(level_around, window, context), frames, cuts)
    for windows in (whole, streamed):
        if len(frames):
            assert_frames_in_are_frames_out(windows, frames)
    for one, other in zip(outputs(whole), outputs(streamed), strict=True):
        assert len(one) == len(frames)
        np.testing.assert_allclose(one, other, rtol=1e-6)


@settings(max_examples=15)
@given(lengths=stretches, data=st.data())
def test_frames_in_are_frames_out_with_the_shipped_model(onnx, lengths, data):
    frames = frames_with(lengths)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(frames)), max_size=5)))
    whole, streamed = (outputs(run(onnx.stream(), frames, each)) for each in ([], cuts))
    assert len(whole.score) == len(frames)
    for one, other in zip(whole, streamed, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_no_frame_is_lost_when_a_click_ends_the_recording_after_a_long_silence(onnx, speech):
    """Speech, 5 s of silence, a click and 0.1 s: 457 of its 703 frames came out in 0.1.x."""
    end = np.zeros(SPEC.sample_rate_hz // 10, np.float32)
    end[5] = 0.5
    samples = np.concatenate([speech, np.zeros(5 * SPEC.sample_rate_hz, np.float32), end])
    features, stream = FrameStream(), onnx.stream()
    ready = [features.push(high_pass(samples)), features.finish()]
    windows = [window for frames in ready for window in stream.push(frames)] + stream.finish()
    assert sum(len(window.frames) for window in windows) == 703
    assert_frames_in_are_frames_out(windows, frames_of(samples))


def test_windows_barely_change_the_result(onnx, speech, rng):
    """A recording of two minutes whose quality changes, in windows and whole.

    Each window has its own mean over the recording; with network 2.2.0 that moves the score by up to 0.03.
    """
    noisy = speech + 0.02 * rng.standard_normal(len(speech)).astype(np.float32)
    frames = frames_of(np.concatenate([speech, noisy] * 10))
    whole = onnx.network(frames)
    expected = whole.overall(onnx.power)
    for block in (1, 500, len(frames)):
        result, _ = overall(onnx, frames, block)
        assert result == pytest.approx(expected, abs=0.05)


def test_scores_of_a_long_recording_do_not_depend_on_its_blocks(onnx, speech):
    frames = np.tile(frames_of(speech), (12, 1))
    (first, scores), (second, other_scores) = overall(onnx, frames, 173), overall(onnx, frames, 4_000)
    assert first == second
    np.testing.assert_array_equal(scores, other_scores)


def test_pauses_between_words_reach_the_network_whole(onnx, speech):
    """Cleaned recordings, those of the training set included, have digital silence there."""
    words = speech.copy()
    words[len(words) // 3 :][: round(0.9 * SPEC.sample_rate_hz)] = 0
    frames = frames_of(words)
    assert overall(onnx, frames, 173)[0] == pytest.approx(onnx.network(frames).overall(onnx.power), abs=1e-4)


def test_silence_around_a_recording_changes_next_to_nothing(onnx, speech, rng):
    """Even where the noise begins and ends with the recording, so that silence makes an edge."""
    noisy = speech + 0.01 * rng.standard_normal(len(speech)).astype(np.float32)
    silence = np.zeros(10 * SPEC.sample_rate_hz, np.float32)
    alone, _ = overall(onnx, frames_of(noisy), 173)
    around, _ = overall(onnx, frames_of(np.concatenate([silence, noisy, silence])), 173)
    assert around == pytest.approx(alone, abs=0.05)


def test_a_recording_of_silence_alone_has_all_its_frames(onnx):
    stream = onnx.stream()
    silence = np.zeros((5_000, SPEC.bins), np.float32)
    windows = stream.push(silence[:10]) + stream.push(silence[10:]) + stream.finish()
    assert sum(len(window.frames) for window in windows) == 5_000


def test_no_frames_no_windows(onnx):
    stream = onnx.stream()
    assert stream.push(np.empty((0, SPEC.bins), np.float32)) == stream.finish() == []


@pytest.mark.parametrize("block", [1, 7, 50, 1_000])
def test_the_network_gets_little_silence_and_every_frame_gets_scores(rng, block):
    inputs = []

    def network(frames: np.ndarray) -> FrameScores:
        inputs.append(frames.any(axis=1))
        values = frames.sum(axis=1)
        return frame_scores(values, values, values, values, {"noise": 1.0}, {"noise": 1.0})

    frames = rng.random((300, SPEC.bins)).astype(np.float32)
    for silence in (slice(0, 60), slice(100, 110), slice(130, 200), slice(270, 300)):
        frames[silence] = 0
    stream = ScoreStream(network, frames=40, context=20)
    windows = [w for at in range(0, 300, block) for w in stream.push(frames[at : at + block])]
    windows += stream.finish()
    assert_frames_in_are_frames_out(windows, frames)
    scores, weights, speech, _, causes, costs = outputs(windows)
    expected = frames.sum(axis=1)
    left_out = [slice(0, 61), slice(130 + MAX_SILENT_FRAMES, 200), slice(268, 300)]
    for silence, beside in zip(left_out, (61, 200, 267), strict=True):
        expected[silence] = expected[beside]
        assert weights[silence].max() < 1e-6
        assert speech[silence].max() == causes[silence].max() == costs[silence].max() == 0
    np.testing.assert_array_equal(scores, expected)
    assert inputs[0][0] and inputs[-1][-1]
    pauses = [
        len(pause) for each in inputs for pause in "".join(" x"[int(sound)] for sound in each).split("x")
    ]
    assert max(pauses) == MAX_SILENT_FRAMES
