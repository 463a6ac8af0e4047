"""The corpus's sets: what is drawn for the clip of a set and an index, and its labels. Depends on nothing else."""

import zlib
from dataclasses import dataclass

import numpy as np

from function.features import SPEC, frame_count, frames_of
from training import labels
from training.bands import BANDS
from training.mixtures import COMBINED, ORDER, OTHER_KINDS, Pools, Version, degraded, mild, no_speech, with_noise
from training.speech import Passage

RATE = SPEC.sample_rate_hz
DEV_SETS = {"dev_noise": 600, "dev_mixed": 800, "dev_clean": 100, "dev_pairs": 600, "dev_bursts": 300, "dev_no_speech": 400}
TRAIN_SET = "train"
DEV_SECONDS, BURST_SECONDS = (4.0, 8.0), (5.0, 8.0)
TRAIN_SECONDS, LONG_SECONDS, LONG_SHARE = (3.0, 6.0), (6.0, 10.0), 0.1
PAUSE_SHARE, PAUSE_S = 0.06, (1.0, 5.0)
NO_SPEECH_SHARE, CLEAN_SHARE, NOISE_SHARE = 0.12, 0.06, 0.45  # of the train set; the rest is other degradations
BY_TIME_SHARE = 0.35  # of the degraded speech in the train set
EVEN_SNR_SHARE = 0.3  # of noisy train clips have an evenly drawn SNR, as dev_noise, the rest an even score
COMBINED_WEIGHT = 3.0  # to 1 for each single degradation
SNR_DB, PAIR_SNR_DB, PAIR_STEP_DB = (-10.0, 45.0), (-5.0, 30.0), 5.0
LEVEL_DBFS, LEVEL_SPREAD_DB, LEVEL_LIMITS = -26.0, 6.0, (-45.0, -14.0)
INTERVAL_S, BURST_S = (0.3, 2.0), (0.5, 2.0)
BURST_SPEECH = 0.6  # of a burst's frames hold speech
BURST_DROP, BURST_CHANGE_DB = 1.5, -15.0  # a burst is clear: PESQ falls by that, what changes is that loud
BURST_KINDS = tuple(kind for kind in OTHER_KINDS if kind != "gain")


@dataclass(frozen=True)
class Clip:
    """A finished clip: 16-bit samples (n,), the arrays of its .npz and its line of the manifest."""

    samples: np.ndarray
    arrays: dict[str, np.ndarray]
    record: dict


@dataclass(frozen=True)
class Draft:
    """A clip before its labels: ``other`` is heard instead of ``base`` in ``intervals`` (none: never)."""

    passage: Passage | None
    base: Version
    other: Version | None = None
    intervals: tuple[tuple[float, float], ...] = ()
    extra: tuple = ()  # more of the manifest's line, (name, value) pairs


def make_clip(seed: int, name: str, index: int, pools: Pools) -> Clip:
    """The clip of a set, the same for the same seed, set and index. Draws again until PESQ hears speech."""
    drawn_as = index // 2 if name == "dev_pairs" else index  # both of a pair have the same speech and noise
    generator = np.random.default_rng([seed, zlib.crc32(name.encode()), drawn_as])
    redraws = 0
    while True:
        clip = _labelled(_DRAFTS[name](generator, pools, index), generator)
        if clip is not None:
            clip.record.update(clip=f"{index:07d}", set=name, redraws=redraws)
            return clip
        redraws += 1


def _train(generator: np.random.Generator, pools: Pools, index: int) -> Draft:
    choice = generator.random()
    seconds = generator.uniform(*(LONG_SECONDS if generator.random() < LONG_SHARE else TRAIN_SECONDS))
    if choice < NO_SPEECH_SHARE:
        return Draft(None, no_speech(generator, pools, round(seconds * RATE)))
    passage = _passage(generator, pools, seconds, generator.random() < PAUSE_SHARE)
    if choice < NO_SPEECH_SHARE + CLEAN_SHARE:
        return Draft(passage, Version(passage.samples))
    severity = generator.random()
    if choice < NO_SPEECH_SHARE + CLEAN_SHARE + NOISE_SHARE:
        kind = "noise"
    else:
        weights = np.array([1.0] * len(OTHER_KINDS) + [COMBINED_WEIGHT])
        kind = str(generator.choice([*OTHER_KINDS, COMBINED], p=weights / weights.sum()))
    if kind == "noise" and generator.random() < EVEN_SNR_SHARE:
        worse = with_noise(passage.samples, generator.uniform(*SNR_DB), generator, pools)
    else:
        worse = degraded(passage.samples, kind, severity, generator, pools)
    if generator.random() >= BY_TIME_SHARE:
        return Draft(passage, worse)
    choice = generator.random()
    if choice < 0.5:
        better = Version(passage.samples)
    elif choice < 0.8:
        better = mild(passage.samples, generator, pools)
    else:
        better = degraded(passage.samples, kind, severity * generator.uniform(0, 0.6), generator, pools)
    intervals = _intervals(generator, len(passage.samples) / RATE)
    return Draft(passage, better, worse, intervals) if generator.random() < 0.65 else Draft(passage, worse, better, intervals)


def _dev_noise(generator: np.random.Generator, pools: Pools, index: int) -> Draft:
    passage = _passage(generator, pools, generator.uniform(*DEV_SECONDS))
    return Draft(passage, with_noise(passage.samples, generator.uniform(*SNR_DB), generator, pools))


def _dev_mixed(generator: np.random.Generator, pools: Pools, index: int) -> Draft:
    passage = _passage(generator, pools, generator.uniform(*DEV_SECONDS))
    kind = (*ORDER, COMBINED)[index % (len(ORDER) + 1)]
    return Draft(passage, degraded(passage.samples, kind, generator.random(), generator, pools))


def _dev_clean(generator: np.random.Generator, pools: Pools, index: int) -> Draft:
    passage = _passage(generator, pools, generator.uniform(*DEV_SECONDS))
    return Draft(passage, Version(passage.samples))


def _dev_pairs(generator: np.random.Generator, pools: Pools, index: int) -> Draft:
    passage = _passage(generator, pools, generator.uniform(*DEV_SECONDS))
    snr_db = generator.uniform(*PAIR_SNR_DB) + PAIR_STEP_DB * (index % 2)
    extra = (("pair", index // 2), ("pair_rank", index % 2))
    return Draft(passage, with_noise(passage.samples, snr_db, generator, pools), extra=extra)


def _dev_bursts(generator: np.random.Generator, pools: Pools, index: int) -> Draft:
    while True:
        passage = _passage(generator, pools, generator.uniform(*BURST_SECONDS))
        length = generator.uniform(*BURST_S)
        start = generator.uniform(0, len(passage.samples) / RATE - length)
        stretch = slice(round(start * RATE), round((start + length) * RATE))
        if np.mean(labels.speech_activity(passage.samples)[stretch.start // SPEC.hop : stretch.stop // SPEC.hop]) < BURST_SPEECH:
            continue
        better = Version(passage.samples) if generator.random() < 0.5 else mild(passage.samples, generator, pools)
        kind = "noise" if index % 2 else BURST_KINDS[index // 2 % len(BURST_KINDS)]
        worse = degraded(passage.samples, kind, generator.uniform(0.4, 1.0), generator, pools)
        change = float(np.sqrt(np.mean(np.square(worse.samples[stretch] - better.samples[stretch]))))
        if change < labels.active_level(passage.samples) * 10 ** (BURST_CHANGE_DB / 20):
            continue
        score = labels.pesq_wb(passage.samples, worse.samples)
        before = labels.pesq_wb(passage.samples, better.samples)
        if None not in (score, before) and before - score >= BURST_DROP:
            burst = (start, start + length)
            return Draft(passage, better, worse, (burst,), (("burst", [round(at, 3) for at in burst]),))


def _dev_no_speech(generator: np.random.Generator, pools: Pools, index: int) -> Draft:
    return Draft(None, no_speech(generator, pools, round(generator.uniform(*DEV_SECONDS) * RATE)))


_DRAFTS = {
    TRAIN_SET: _train,
    "dev_noise": _dev_noise,
    "dev_mixed": _dev_mixed,
    "dev_clean": _dev_clean,
    "dev_pairs": _dev_pairs,
    "dev_bursts": _dev_bursts,
    "dev_no_speech": _dev_no_speech,
}


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
    worst = max(versions, key=lambda version: len(version.records) and (version is not draft.base or version.group != "noise"))
    befallen = list(draft.base.records)
    for start, end in draft.intervals:
        befallen += [{**record, "start_s": round(start, 3), "end_s": round(end, 3)} for record in draft.other.records or [{"kind": "clean"}]]
    return {
        "clip": "",
        "set": "",
        "seconds": round(len(samples) / RATE, 3),
        "speakers": draft.passage.speakers if draft.passage else [],
        "speech_files": draft.passage.files if draft.passage else [],
        "noise_kinds": sorted({kind for version in versions for kind in version.noise_kinds}),
        "degradations": befallen,
        "group": worst.group,
        "snr_db": worst.snr_db,
        "pesq_wb": overall,
        "burst": None,
        "pair": None,
        "pair_rank": None,
        **dict(draft.extra),
    }


def _passage(generator: np.random.Generator, pools: Pools, seconds: float, pause: bool = False) -> Passage:
    passage = pools.speech.draw(generator, seconds)
    if not pause:
        return passage
    silence = np.zeros(round(generator.uniform(*PAUSE_S) * RATE), np.float32)
    order = [silence, passage.samples] if generator.random() < 0.5 else [passage.samples, silence]
    return Passage(np.concatenate(order), passage.speakers, passage.files)


def _intervals(generator: np.random.Generator, seconds: float) -> tuple[tuple[float, float], ...]:
    """One or two intervals of 0.3 to 2 s, one in each half of the clip when there are two."""
    count = int(generator.integers(1, 3))
    found = []
    for part in range(count):
        length = min(generator.uniform(*INTERVAL_S), 0.9 * seconds / count)
        start = seconds * part / count + generator.uniform(0, seconds / count - length)
        found.append((start, start + length))
    return tuple(found)
