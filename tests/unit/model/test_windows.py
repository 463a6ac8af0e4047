"""The windower: every frame comes out once, scored with its context."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqscore.model.features import SPEC
from aqscore.model.pooling import FrameScores
from aqscore.model.windows import Windower
from tests.frame_scores import frame_scores


@pytest.mark.parametrize("block", [1, 7, 30, 1_000])
def test_every_frame_is_scored_with_its_whole_context_on_both_sides(rng, block):
    """The fake network depends on exactly as many frames as the context has."""
    context = 8

    def network(frames: np.ndarray) -> FrameScores:
        level = frames.mean(axis=1)
        around = np.convolve(level, np.ones(2 * context + 1), "full")[context:-context].astype(np.float32)
        return frame_scores(around)

    frames = rng.random((100, SPEC.bins)).astype(np.float32)
    stream = Windower(network, frames=20, context=context)
    windows = [w for at in range(0, 100, block) for w in stream.push(frames[at : at + block])]
    windows += stream.finish()
    scores = np.concatenate([window.scores.score for window in windows])
    np.testing.assert_allclose(scores, network(frames).score, rtol=1e-5)


@given(sizes=st.lists(st.integers(0, 90), max_size=8), window=st.integers(1, 40), context=st.integers(0, 30))
def test_frames_in_are_frames_out(sizes, window, context):
    frames = np.arange(sum(sizes) * 2, dtype=np.float32).reshape(-1, 2)
    windower = Windower(lambda frames: frame_scores(frames[:, 0]), window, context)
    windows = (
        [w for block in np.split(frames, np.cumsum(sizes)[:-1]) for w in windower.push(block)]
        if sizes
        else []
    )
    windows += windower.finish()
    np.testing.assert_array_equal(np.concatenate([frames[:0], *(w.frames for w in windows)]), frames)
    scores = np.concatenate([frames[:0, 0], *(w.scores.score for w in windows)])
    np.testing.assert_array_equal(scores, frames[:, 0])
