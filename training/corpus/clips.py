"""A clip from its draft: level, 16 bits, frames, labels and its line of the manifest."""

import zlib
from dataclasses import dataclass

import numpy as np

from aqscore.model.features import SPEC, frame_count, frames_of
from training.bands import BANDS
from training.corpus import labels
from training.corpus.mixtures import Pools, Version
from training.corpus.sets import DRAFTS, Draft

RATE = SPEC.sample_rate_hz
LEVEL_DBFS, LEVEL_SPREAD_DB, LEVEL_LIMITS = -26.0, 6.0, (-45.0, -14.0)


@dataclass(frozen=True)
class Clip:
    """A finished clip: 16-bit samples (n,), the arrays of its .npz and its line of the manifest."""

    samples: np.ndarray
    arrays: dict[str, np.ndarray]
    record: dict


def make_clip(seed: int, name: str, index: int, pools: Pools) -> Clip:
    """The clip of a set, the same for the same seed, set and index. Draws again until PESQ hears speech."""
    drawn_as = index // 2 if name == "dev_pairs" else index  # both of a pair have the same speech and noise
    generator = np.random.default_rng([seed, zlib.crc32(name.encode()), drawn_as])
    redraws = 0
    while True:
        clip = _labelled(DRAFTS[name](generator, pools, index), generator)
        if clip is not None:
            clip.record.update(clip=f"{index:07d}", set=name, redraws=redraws)
            return clip
        redraws += 1


def _labelled(draft: Draft, generator: np.random.Generator) -> Clip | None:
    """Sets the level, quantises, and asks PESQ; None where it hears no speech."""
    heard = draft.base.samples
    if draft.other is not None:
        heard = labels.splice(heard, draft.other.samples, list(draft.intervals))
    if draft.passage is None:
        return _speechless(draft, labels.quantise(heard))
    reference = draft.passage.samples
    level_db = np.clip(generator.normal(LEVEL_DBFS, LEVEL_SPREAD_DB), *LEVEL_LIMITS)
    gain = 10 ** (level_db / 20) / max(labels.active_level(heard), 1e-6)
    samples = labels.quantise(heard * np.float32(min(gain, 0.99 / max(float(np.max(np.abs(heard))), 1e-6))))
    overall = labels.pesq_wb(reference, samples)
    if overall is None:
        return None
    frames = frames_of(samples)
    scores = np.full(len(frames), overall, np.float32)
    if draft.other is not None:
        base, other = (_whole_score(reference, version) for version in (draft.base, draft.other))
        if base is None or other is None:
            return None
        scores = labels.frame_scores(len(frames), base, other, list(draft.intervals))
    arrays = {
        "frames": frames.astype(np.float16),
        "overall": np.float32(overall),
        "frame_scores": scores,
        "speech": labels.speech_activity(reference),
        "reference": labels.band_target(reference, samples, frames),
    }
    return Clip(samples, arrays, _record(draft, samples, overall))


def _speechless(draft: Draft, samples: np.ndarray) -> Clip:
    count = frame_count(len(samples))
    arrays = {
        "frames": frames_of(samples).astype(np.float16),
        "overall": np.float32(np.nan),
        "frame_scores": np.full(count, np.nan, np.float32),
        "speech": np.zeros(count, np.uint8),
        "reference": np.zeros((count, BANDS), np.float16),
    }
    return Clip(samples, arrays, _record(draft, samples, None))


def _whole_score(reference: np.ndarray, version: Version) -> float | None:
    return labels.pesq_wb(reference, version.samples) if version.records else labels.PERFECT


def _record(draft: Draft, samples: np.ndarray, overall: float | None) -> dict:
    """The clip's line of the manifest, but for its name."""
    versions = [version for version in (draft.base, draft.other) if version is not None]
    worse = draft.worse or draft.base
    befallen = list(draft.base.records)
    for start, end in draft.intervals:
        befallen += [
            {**record, "start_s": round(start, 3), "end_s": round(end, 3)}
            for record in draft.other.records or [{"kind": "clean"}]
        ]
    return {
        "clip": "",
        "set": "",
        "seconds": round(len(samples) / RATE, 3),
        "speakers": draft.passage.speakers if draft.passage else [],
        "speech_files": draft.passage.files if draft.passage else [],
        "rerecorded": [],
        "noise_kinds": sorted({kind for version in versions for kind in version.noise_kinds}),
        "degradations": befallen,
        "group": worse.group,
        "snr_db": worse.snr_db,
        "pesq_wb": overall,
        "burst": None,
        "pair": None,
        "pair_rank": None,
        **dict(draft.extra),
    }
