"""Scores development clips with the serving pipeline, unchanged and after changes that nobody hears."""

import io
import tempfile
from collections.abc import Callable
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
from training.degradations import ffmpeg
from training.degradations.codecs import aligned
from training.degradations.synthetic_noise import music
from training.levels import active_level
from training.network.dataset import clip_path

RATE = SPEC.sample_rate_hz
OTHER_RATE = 48_000
LEVEL_CHANGE = 10.0  # 20 dB
SILENCE_S, MUSIC_S = 10, 60
OFFSET = 0.03
RUMBLE_HZ, RUMBLE_DBFS = 11.0, -30.0
CUT = 112  # samples, 7 ms
BEEP_HZ, BEEP_S, BEEP_BEFORE_S = 1000.0, 0.5, 2.0
BEEP_DB, LOUD_BEEP_DB = 15.0, 30.0  # relative to active speech
OPUS_BIT_RATE = 128_000


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
    """Name of each of ``CHANGES`` -> (clips,) differences of the score, MOS-LQO.

    Infinity where the changed clip has no score. The ``runs`` must have one.
    """
    differences: dict[str, list[float]] = {name: [] for name in CHANGES}
    for run in tqdm(runs, desc="inaudible changes", unit="clip", mininterval=1.0):
        samples, _ = sf.read(clip_path(corpus, run.clip, ".flac"), dtype="float32")
        for name, change in CHANGES.items():
            changed, rate = change(samples)
            with tempfile.TemporaryFile(suffix=".wav") as file:
                sf.write(file, changed, rate, format="WAV", subtype="FLOAT")
                file.seek(0, io.SEEK_SET)
                score = score_file(file, settings, frames=False).score
            differences[name].append(np.inf if score is None else score - (run.result.score or 0.0))
    return {name: np.array(values) for name, values in differences.items()}


def _rumbling(samples: np.ndarray) -> np.ndarray:
    at = np.arange(len(samples)) / RATE
    return samples + np.sqrt(2) * 10 ** (RUMBLE_DBFS / 20) * np.sin(2 * np.pi * RUMBLE_HZ * at)


def _coded(samples: np.ndarray) -> np.ndarray:
    return aligned(ffmpeg.coded(samples, "libopus", "libopus", OTHER_RATE, OPUS_BIT_RATE), samples)


def _after_a_beep(samples: np.ndarray, level_db: float) -> np.ndarray:
    at = np.arange(round(BEEP_S * RATE)) / RATE
    level = active_level(samples) * 10 ** (level_db / 20)
    beep = np.sqrt(2) * level * np.sin(2 * np.pi * BEEP_HZ * at)
    return np.concatenate([beep, np.zeros(round((BEEP_BEFORE_S - BEEP_S) * RATE)), samples])


def _beside_music(samples: np.ndarray, *, before: bool) -> np.ndarray:
    piece = music(np.random.default_rng(0), MUSIC_S * RATE) * active_level(samples)
    return np.concatenate([piece, samples] if before else [samples, piece])


def _resampled(samples: np.ndarray) -> np.ndarray:
    return soxr.resample(soxr.resample(samples, RATE, OTHER_RATE), OTHER_RATE, RATE)


_SILENCE = np.zeros(SILENCE_S * RATE, np.float32)

# Changes that nobody hears, or that are no fault of the speech: name -> a function of the samples (n,) at
# 16 kHz that gives the changed samples and their rate in Hz. All keep the duration but the cut and those
# that put something before or after the speech. They are written as floating point.
CHANGES: dict[str, Callable[[np.ndarray], tuple[np.ndarray, int]]] = {
    "DC offset": lambda x: (x + OFFSET, RATE),
    "rumble": lambda x: (_rumbling(x), RATE),
    "20 dB louder": lambda x: (x * LEVEL_CHANGE, RATE),
    "20 dB softer": lambda x: (x / LEVEL_CHANGE, RATE),
    "polarity": lambda x: (-x, RATE),
    "48 kHz": lambda x: (soxr.resample(x, RATE, OTHER_RATE), OTHER_RATE),
    "48 kHz and back": lambda x: (_resampled(x), RATE),
    "Opus at 128 kbit/s": lambda x: (_coded(x), RATE),
    "7 ms cut off": lambda x: (x[CUT:], RATE),
    "silence before": lambda x: (np.concatenate([_SILENCE, x]), RATE),
    "silence after": lambda x: (np.concatenate([x, _SILENCE]), RATE),
    "a beep before": lambda x: (_after_a_beep(x, BEEP_DB), RATE),
    "a loud beep before": lambda x: (_after_a_beep(x, LOUD_BEEP_DB), RATE),
    "a minute of music before": lambda x: (_beside_music(x, before=True), RATE),
    "a minute of music after": lambda x: (_beside_music(x, before=False), RATE),
}
