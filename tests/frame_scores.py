"""Outputs of the network, made up for tests."""

from typing import Any

import numpy as np

from aqscore.causes import CAUSES, CauseKind
from aqscore.model.pooling import FrameScores

THRESHOLDS = [0.5] * len(CAUSES)


def frame_scores(
    score: Any,
    weight: Any = 1.0,
    speech: Any = 1.0,
    mos: Any = 3.0,
    causes: dict[CauseKind, Any] | None = None,
    costs: dict[CauseKind, Any] | None = None,
) -> FrameScores:
    """Values for each frame, or one for all. Of ``causes`` and ``costs``, those not named are 0."""
    score = np.asarray(score, np.float32)

    def each(values: Any) -> np.ndarray:
        return np.broadcast_to(np.asarray(values, np.float32), score.shape).copy()

    def table(named: dict[CauseKind, Any] | None) -> np.ndarray:
        return np.stack([each((named or {}).get(kind, 0.0)) for kind in CAUSES], axis=1)

    return FrameScores(score, each(weight), each(speech), each(mos), table(causes), table(costs))


def random_scores(rng: np.random.Generator, frames: int) -> FrameScores:
    """Outputs within their ranges; stretches of frames have causes, and stretches have no speech."""
    stretch = np.repeat(rng.random((frames // 40 + 1, len(CAUSES) + 1)), 40, axis=0)[:frames]
    return FrameScores(
        score=rng.uniform(1.04, 4.64, frames).astype(np.float32),
        weight=rng.uniform(0.1, 1, frames).astype(np.float32),
        speech=np.where(stretch[:, 0] < 0.3, 0.05, rng.random(frames)).astype(np.float32),
        mos=rng.uniform(1, 5, frames).astype(np.float32),
        causes=np.clip(stretch[:, 1:] + rng.normal(0, 0.1, (frames, len(CAUSES))), 0, 1).astype(np.float32),
        costs=rng.exponential(0.8, (frames, len(CAUSES))).astype(np.float32),
    )
