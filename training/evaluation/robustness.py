"""Scores development clips with the serving pipeline, unchanged and after changes that keep the quality."""

import io
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile as sf
import soxr
from tqdm import tqdm

from aqscore.config import ScorerConfig
from aqscore.model.features import SPEC
from aqscore.pipeline import score_file
from aqscore.report import Scored
from training.network.dataset import clip_path

RATE = SPEC.sample_rate_hz
OTHER_RATE = 48_000
LEVEL_CHANGE = 10.0  # 20 dB
SILENCE_S = 10
EQUIVALENT = ("20 dB louder", "20 dB softer", "polarity", "WAV", "48 kHz")
SILENCES = ("silence before", "silence after")


class Run(NamedTuple):
    """A development clip and its result from the pipeline."""

    clip: dict  # its entry in the manifest
    result: Scored

    @property
    def is_scored(self) -> bool:
        return self.result.score is not None

    @property
    def no_speech(self) -> bool:
        return any(warning.code == "no_speech" for warning in self.result.warnings)


def score_clips(corpus: Path, clips: list[dict], settings: ScorerConfig) -> list[Run]:
    """Scores the clips' FLAC files, as a user's recordings would be."""
    runs = []
    for clip in tqdm(clips, desc="development clips", unit="clip", mininterval=1.0):
        with clip_path(corpus, clip, ".flac").open("rb") as file:
            runs.append(Run(clip, score_file(file, settings)))
    return runs


def score_changes(corpus: Path, runs: list[Run], settings: ScorerConfig) -> dict[str, np.ndarray]:
    """Name of each change -> (clips,) absolute differences of the score, MOS-LQO.

    Infinity where the changed clip has no score. The ``runs`` must have one.
    """
    differences: dict[str, list[float]] = {name: [] for name in (*EQUIVALENT, *SILENCES)}
    for run in tqdm(runs, desc="equivalent changes", unit="clip", mininterval=1.0):
        samples, _ = sf.read(clip_path(corpus, run.clip, ".flac"), dtype="float32")
        for name, (changed, rate, subtype) in _changes(samples).items():
            with tempfile.TemporaryFile(suffix=".wav") as file:
                sf.write(file, changed, rate, format="WAV", subtype=subtype)
                file.seek(0, io.SEEK_SET)
                score = score_file(file, settings, frames=False).score
            differences[name].append(np.inf if score is None else abs(score - (run.result.score or 0.0)))
    return {name: np.array(values) for name, values in differences.items()}


def _changes(samples: np.ndarray) -> dict[str, tuple[np.ndarray, int, str]]:
    """Name -> changed samples, rate in Hz, WAV subtype; floating point where 16 bits would clip or round."""
    silence = np.zeros(SILENCE_S * RATE, np.float32)
    return {
        "20 dB louder": (samples * LEVEL_CHANGE, RATE, "FLOAT"),
        "20 dB softer": (samples / LEVEL_CHANGE, RATE, "FLOAT"),
        "polarity": (-samples, RATE, "FLOAT"),
        "WAV": (samples, RATE, "PCM_16"),
        "48 kHz": (soxr.resample(samples, RATE, OTHER_RATE), OTHER_RATE, "FLOAT"),
        "silence before": (np.concatenate([silence, samples]), RATE, "FLOAT"),
        "silence after": (np.concatenate([samples, silence]), RATE, "FLOAT"),
    }
