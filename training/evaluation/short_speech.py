"""How much wider the interval must be for little speech.

Pieces of clean development recordings are degraded by noise, clipping or a low-pass filter, and scored; PESQ
compares them with the clean pieces. An interval's factor is the one by which it must grow to hold nine tenths
of the values, beside that of pieces with more speech.
"""

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile as sf

from aqscore.audio.array_source import AudioArray
from aqscore.config import ScorerConfig
from aqscore.model.features import SPEC
from aqscore.pipeline import ScoreOptions, score_recording
from training.corpus.labels import pesq_wb
from training.degradations.bandwidth import resampled
from training.evaluation.calibration import COVERAGE, is_for_calibration
from training.network.dataset import clip_path, read_manifest

RATE = SPEC.sample_rate_hz
SET = "dev_clean"
PIECES_S = (0.8, 1.2, 1.6, 2.0, 2.5, 3.2, 4.0, 6.0)
VERSIONS = 2  # of each piece, degraded in different ways
ENDS_S = (1.0, 2.0)  # of the classes of speech; pieces with more are the reference
MIN_PIECES = 20  # in a class, for a factor of its own
MIN_REACH = 0.05  # MOS-LQO: an interval that ends at the score would need an infinite factor
UNCHANGED = {"speech_s": [ENDS_S[-1]], "factor": [1.0]}


def short_speech_table(corpus: Path, model: Path) -> dict[str, list[float]]:
    """The table ``short_speech`` of an interval: ascending ``speech_s``, and a ``factor`` of at least 1 each.

    Measured on the clean clips for calibration, with the model in a folder, whatever table it has.
    ``UNCHANGED`` where a corpus has too few of them.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = shutil.copytree(model, Path(temporary) / "model")
        info = json.loads((folder / "model.json").read_text())
        info["interval"]["short_speech"] = UNCHANGED
        (folder / "model.json").write_text(json.dumps(info))
        settings = replace(ScorerConfig(), model_dir=folder)
        needed = [
            found
            for clip in read_manifest(corpus, SET)
            if is_for_calibration(clip)
            for found in _needed_factors(clip_path(corpus, clip, ".flac"), int(clip["clip"]), settings)
        ]
    speech_s, factors = np.array(needed).reshape(-1, 2).T
    classes = np.searchsorted(ENDS_S, speech_s, side="right")
    if np.bincount(classes, minlength=len(ENDS_S) + 1).min() < MIN_PIECES:
        return UNCHANGED
    *short, reference = (np.quantile(factors[classes == place], COVERAGE) for place in range(len(ENDS_S) + 1))
    widths = [round(max(1.0, float(quantile / reference)), 2) for quantile in short]
    middles = [(start + end) / 2 for start, end in zip((0.0, *ENDS_S), ENDS_S, strict=False)]
    return {"speech_s": [*middles, ENDS_S[-1]], "factor": [*widths, 1.0]}


def _needed_factors(path: Path, seed: int, settings: ScorerConfig) -> list[tuple[float, float]]:
    """Of the pieces of a recording: seconds of speech, and the factor of an interval that just holds PESQ."""
    generator = np.random.default_rng(seed)
    samples, _ = sf.read(path, dtype="float32")
    found = []
    for length in (round(seconds * RATE) for seconds in PIECES_S * VERSIONS):
        if length <= len(samples):
            start = int(generator.integers(len(samples) - length + 1))
            found.append(_needed_factor(samples[start : start + length], generator, settings))
    return [each for each in found if each]


def _needed_factor(
    clean: np.ndarray, generator: np.random.Generator, settings: ScorerConfig
) -> tuple[float, float] | None:
    degraded = _degraded(clean, generator).astype(np.float32)
    true = pesq_wb(clean, degraded)
    found = score_recording(AudioArray(degraded, RATE), settings, ScoreOptions(frames=False))
    if true is None or found.score is None or found.interval is None:
        return None
    lower, upper = found.interval
    reach = found.score - lower if true < found.score else upper - found.score
    return found.signal.speech_share * len(clean) / RATE, abs(true - found.score) / max(reach, MIN_REACH)


def _degraded(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """(n,) speech with noise, clipped, or without its upper frequencies."""
    level = np.sqrt(np.mean(samples**2))
    kind = generator.integers(3)
    if kind == 0:
        noise = generator.standard_normal(len(samples))
        return samples + level * 10 ** (-generator.uniform(0, 40) / 20) * noise
    if kind == 1:
        return np.clip(samples, -1, generator.uniform(0.3, 4.0) * level)
    return resampled(samples, int(generator.uniform(3_000, 14_000)), "HQ")
