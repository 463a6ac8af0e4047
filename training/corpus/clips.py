"""Makes a clip from its recipe: level, 16 bits, frames, labels and its manifest entry."""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from aqscore.causes import CAUSES
from aqscore.model.features import SPEC, frames_of
from training.bands import BANDS
from training.corpus import labels
from training.corpus.causes import costs_of
from training.corpus.mixtures import Pools, Version
from training.corpus.sets import RECIPES, ClipRecipe
from training.levels import active_level, at_level
from training.teachers.mean import Teacher

RATE = SPEC.sample_rate_hz
LEVEL_DBFS, LEVEL_SPREAD_DB, LEVEL_LIMITS = -26.0, 6.0, (-45.0, -14.0)


@dataclass(frozen=True)
class Clip:
    """A finished clip: 16-bit samples (n,), the arrays of its .npz and its manifest entry."""

    samples: np.ndarray
    arrays: dict[str, Any]  # NumPy arrays and scalars
    record: dict


def make_clip(seed: int, name: str, index: int, pools: Pools, teacher: Teacher | None = None) -> Clip:
    """The clip of a set, the same for the same seed, set and index. Draws again until PESQ has a score.

    ``teacher`` labels it with a listeners' score; without one, that label is NaN. Raises ValueError when an
    unlabelled recording is drawn and there is no teacher.
    """
    drawn_as = index // 2 if name == "dev_pairs" else index  # both clips of a pair share speech and noise
    generator = np.random.default_rng([seed, zlib.crc32(name.encode()), drawn_as])
    redraws = 0
    while True:
        clip = _labelled(RECIPES[name](generator, pools, index), generator, teacher)
        if clip is not None:
            clip.record.update(clip=f"{index:07d}", set=name, redraws=redraws)
            return clip
        redraws += 1


def _labelled(recipe: ClipRecipe, generator: np.random.Generator, teacher: Teacher | None) -> Clip | None:
    """Sets the level, quantises and labels the clip; None where PESQ has no score, or a sample is no number.

    FFmpeg's speechnorm, for one, now and then writes NaN after digital silence.
    """
    degraded = recipe.base.samples
    if recipe.other is not None:
        degraded = labels.splice(degraded, recipe.other.samples, list(recipe.intervals))
    if not np.isfinite(degraded).all():
        return None
    if recipe.passage is None:
        return _unknown(recipe, labels.quantise(degraded), speech=0.0)
    reference = recipe.passage.samples
    level_db = np.clip(generator.normal(LEVEL_DBFS, LEVEL_SPREAD_DB), *LEVEL_LIMITS)
    gain = 10 ** (level_db / 20) / max(active_level(degraded), 1e-6)
    samples = labels.quantise(
        degraded * np.float32(min(gain, 0.99 / max(float(np.max(np.abs(degraded))), 1e-6)))
    )
    if not recipe.passage.is_reference:
        if teacher is None:
            raise ValueError("An unlabelled recording was drawn, expected a teacher for it: name one.")
        return _unknown(recipe, samples, speech=np.nan, mos=teacher.score(at_level(samples)))
    overall = labels.pesq_wb(reference, samples)
    if overall is None:
        return None
    frames = frames_of(samples)
    if recipe.other is None:
        scores = np.full(len(frames), overall, np.float32)
        costs = np.tile(_costs(reference, recipe.base, overall), (len(frames), 1))
    else:
        base, other = (_whole_score(reference, version) for version in (recipe.base, recipe.other))
        if base is None or other is None:
            return None
        intervals = list(recipe.intervals)
        scores = labels.of_version(len(frames), base, other, intervals)
        costs = labels.of_version(
            len(frames),
            _costs(reference, recipe.base, base),
            _costs(reference, recipe.other, other),
            intervals,
        )
    arrays: dict[str, Any] = {
        "frames": frames.astype(np.float16),
        "overall": np.float32(overall),
        "mos": np.float32(np.nan if teacher is None else teacher.score(at_level(samples))),
        "frame_scores": scores,
        "costs": costs.astype(np.float16),
        "speech": labels.speech_activity(reference),
        "reference": labels.band_target(reference, samples, frames),
    }
    return Clip(samples, arrays, _record(recipe, samples, overall))


def _unknown(recipe: ClipRecipe, samples: np.ndarray, speech: float, mos: float = np.nan) -> Clip:
    """A clip that PESQ can't score: every frame has the label ``speech``, 0 or NaN, the whole ``mos``."""
    frames = frames_of(samples)
    arrays: dict[str, Any] = {
        "frames": frames.astype(np.float16),
        "overall": np.float32(np.nan),
        "mos": np.float32(mos),
        "frame_scores": np.full(len(frames), np.nan, np.float32),
        "costs": np.full((len(frames), len(CAUSES)), np.nan, np.float16),
        "speech": np.full(len(frames), speech, np.float32),
        "reference": np.zeros((len(frames), BANDS), np.float16),
    }
    return Clip(samples, arrays, _record(recipe, samples, None))


def _whole_score(reference: np.ndarray, version: Version) -> float | None:
    return labels.pesq_wb(reference, version.samples) if version.records else labels.PERFECT


def _costs(reference: np.ndarray, version: Version, score: float) -> np.ndarray:
    """(causes,): what each cause in the version costs alone; ``score`` is the whole version's PESQ."""
    kinds = [record["kind"] for record in version.records]
    alone = [labels.pesq_wb(reference, samples) for samples in version.alone] or [score] * len(kinds)
    return costs_of(kinds, [None if value is None else labels.PERFECT - value for value in alone])


def _record(recipe: ClipRecipe, samples: np.ndarray, overall: float | None) -> dict:
    """The clip's manifest entry, without its name."""
    versions = [version for version in (recipe.base, recipe.other) if version is not None]
    worse = recipe.worse or recipe.base
    degradations = list(recipe.base.records)
    for start, end in recipe.intervals:
        degradations += [
            {**record, "start_s": round(start, 3), "end_s": round(end, 3)}
            for record in (recipe.other.records if recipe.other else []) or [{"kind": "clean"}]
        ]
    return {
        "clip": "",
        "set": "",
        "seconds": round(len(samples) / RATE, 3),
        "speakers": recipe.passage.speakers if recipe.passage else [],
        "speech_files": recipe.passage.files if recipe.passage else [],
        "rerecorded": [],
        "noise_kinds": sorted({kind for version in versions for kind in version.noise_kinds}),
        "degradations": degradations,
        "group": worse.group,
        "snr_db": worse.snr_db,
        "pesq_wb": overall,
        "burst": None,
        "pair": None,
        "pair_rank": None,
        **dict(recipe.extra),
    }
