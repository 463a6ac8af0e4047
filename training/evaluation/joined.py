"""Recordings longer than a window: the score of clips in a row against the scores of the clips.

PESQ pools over time by a power mean, and so does the network (docs/decisions/0023). Clips that follow each
other in one recording should get the score that the power mean makes of their own, in any order.
"""

from pathlib import Path

import numpy as np
import soundfile as sf

from aqscore.audio.array_source import AudioArray
from aqscore.config import ScorerConfig
from aqscore.model.features import SPEC
from aqscore.model.loading import load_model
from aqscore.model.pooling import pooled
from aqscore.pipeline import ScoreOptions, score_recording
from aqscore.scale import HIGHEST
from training.evaluation.robustness import Run
from training.levels import at_level
from training.network.dataset import clip_path

RATE = SPEC.sample_rate_hz
RECORDINGS, CLIPS = 20, 20  # recordings of two minutes, almost two windows
PAUSE = np.zeros(RATE // 2, np.float32)


def score_joined(corpus: Path, runs: list[Run], settings: ScorerConfig) -> tuple[np.ndarray, np.ndarray]:
    """(recordings,) score less the power mean of the clips' scores, and the move by the reverse order.

    The ``runs``, at least one, must have scores. They are drawn at random into ``RECORDINGS`` recordings,
    fewer where they don't suffice, each clip at the usual level of speech.
    """
    order = np.random.default_rng(0).permutation(len(runs))
    power = load_model(settings).power
    differences, moves = [], []
    for number in range(max(1, min(len(runs) // CLIPS, RECORDINGS))):
        chosen = [runs[index] for index in order[number * CLIPS : (number + 1) * CLIPS]]
        pieces = []
        for run in chosen:
            samples, _ = sf.read(clip_path(corpus, run.clip, ".flac"), dtype="float32")
            pieces.append(np.concatenate([at_level(samples), PAUSE]))
        forwards, backwards = (_score(np.concatenate(each), settings) for each in (pieces, pieces[::-1]))
        speech = np.array([run.result.signal.speech_share * run.result.media.duration_s for run in chosen])
        distances = HIGHEST - np.array([run.result.score for run in chosen])
        expected = pooled(np.sum(speech * distances**power), np.sum(speech), power)
        differences.append(forwards - expected)
        moves.append(backwards - forwards)
    return np.array(differences), np.array(moves)


def _score(samples: np.ndarray, settings: ScorerConfig) -> float:
    score = score_recording(AudioArray(samples, RATE), settings, ScoreOptions(frames=False)).score
    return np.nan if score is None else score
