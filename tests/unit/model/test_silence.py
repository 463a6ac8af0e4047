"""The silence gate: which frames go to the network, and where the others come back."""

import numpy as np
import pytest

from aqscore.model.features import SPEC
from aqscore.model.silence import MAX_SILENT_FRAMES, MAX_WINDOW, SILENT_WEIGHT, SilenceGate
from aqscore.model.windows import Window
from aqscore.scale import LOWEST
from tests.frame_scores import frame_scores


def frames_at(levels: list[float]) -> np.ndarray:
    return np.repeat(np.asarray(levels, np.float32)[:, None], SPEC.bins, axis=1)


def gated(levels: list[float], block: int = 1_000) -> tuple[list[float], list[float], list[float]]:
    """The levels of the kept frames, then levels and scores of all frames. A frame scores its level."""
    gate, frames = SilenceGate(), frames_at(levels)
    blocks = [kept for at in range(0, len(frames), block) for kept in gate.push(frames[at : at + block])]
    kept = np.concatenate([*blocks, *gate.finish(), frames[:0]])
    windows = gate.restore([Window(kept, frame_scores(kept[:, 0]))]) if len(kept) else []
    windows += gate.rest()
    return (
        kept[:, 0].tolist(),
        [level for window in windows for level in window.frames[:, 0].tolist()],
        [score for window in windows for score in window.scores.score.tolist()],
    )


@pytest.mark.parametrize("block", [1, 3, 1_000])
def test_silence_around_the_sound_is_left_out_with_its_edges(block):
    kept, levels, scores = gated([0, 0, 1, 2, 3, 4, 5, 0, 0], block)
    assert kept == [2, 3]
    assert levels == [0, 0, 0, 2, 3, 0, 0, 0, 0]
    assert scores == [2, 2, 2, 2, 3, 3, 3, 3, 3]


@pytest.mark.parametrize("block", [1, 50, 1_000])
def test_a_pause_is_shortened_and_restored(block):
    pause = [0.0] * (MAX_SILENT_FRAMES + 10)
    kept, levels, scores = gated([1, 2, 3, *pause, 4, 5], block)
    assert kept == [1, 2, 3, *pause[:MAX_SILENT_FRAMES], 4, 5]
    assert levels == [1, 2, 3, *pause, 4, 5]
    assert scores[-12:] == [4] * 11 + [5]


def test_a_recording_without_silence_passes_unchanged():
    kept, levels, _ = gated([1, 2, 3])
    assert kept == levels == [1, 2, 3]


def test_silence_alone_is_restored_in_windows_of_bounded_size():
    gate = SilenceGate()
    assert sum(len(block) for block in gate.push(frames_at([0] * 5_000)) + gate.finish()) == 0
    windows = gate.rest()
    assert [len(window.frames) for window in windows] == [MAX_WINDOW, 5_000 - MAX_WINDOW]
    assert windows[0].scores.score.max() == pytest.approx(LOWEST)
    assert windows[0].scores.weight.max() == pytest.approx(SILENT_WEIGHT)
    assert windows[0].scores.speech.max() == windows[0].scores.causes.max() == 0
