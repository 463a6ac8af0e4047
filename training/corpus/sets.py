"""The corpus's sets: draws the recipe of a clip of each, from a generator and one split's pools."""

from dataclasses import dataclass, replace

import numpy as np

from aqscore.model.features import SPEC
from training.corpus import labels
from training.corpus.mixtures import (
    COMBINED,
    Pools,
    Version,
    degraded,
    mild,
    no_speech,
    with_noise,
)
from training.corpus.speech import Passage
from training.degradations import DEGRADATIONS
from training.degradations.rerecording import other_voice, rerecorded
from training.levels import active_level

RATE = SPEC.sample_rate_hz
DEV_SETS = {
    "dev_noise": 600,
    "dev_mixed": 800,
    "dev_clean": 100,
    "dev_pairs": 600,
    "dev_bursts": 300,
    "dev_no_speech": 400,
}
TRAIN_SET = "train"
DEV_SECONDS, BURST_SECONDS = (4.0, 8.0), (5.0, 8.0)
TRAIN_SECONDS, LONG_SECONDS, LONG_SHARE = (3.0, 6.0), (6.0, 10.0), 0.1
PAUSE_SHARE, PAUSE_S = 0.06, (1.0, 5.0)
OTHER_VOICE_SHARE = 0.5  # of the train set's speech
RERECORDED_SHARE = 0.6  # of the train set's speech
# PESQ of a re-recording against the passage before: below it, a fault of the reference would be labelled as
# perfect, and the same sound as a degradation elsewhere.
MIN_RERECORDED_PESQ = 4.2
# Of the train set's labelled clips; the rest is other degradations.
NO_SPEECH_SHARE, CLEAN_SHARE, NOISE_SHARE = 0.08, 0.12, 0.28
# Of the train set, where there are unlabelled recordings; and of these, as they are, without a degradation.
UNLABELLED_SHARE, UNCHANGED_SHARE = 0.2, 0.5
CHANGING_SHARE = 0.22  # of the degraded clips: the quality changes within them
WORSE_INSIDE_SHARE = 0.65  # of those are worse in the intervals, the rest better
EVEN_SNR_SHARE = 0.3  # of the noisy train clips: uniform SNR, like dev_noise; the rest: uniform score
# Relative frequency of the kinds, 1 for the others: higher where the network learns slowly.
WEIGHTS = {
    "reverb": 3.0, "gain": 4.0, "bandlimit": 4.5, "packet_loss": 3.0, "codec": 4.0, "suppression": 4.0,
    "clipping": 1.5, "mnru": 1.5, "quantisation": 0.5, COMBINED: 4.0,
}  # fmt: skip
SNR_DB, PAIR_SNR_DB, PAIR_STEP_DB = (-10.0, 45.0), (-5.0, 30.0), 5.0
INTERVAL_S, BURST_S = (0.3, 2.0), (0.5, 2.0)
BURST_SPEECH = 0.6  # of a burst's frames hold speech
BURST_DROP, BURST_CHANGE_DB = 1.5, -15.0  # minimum fall of PESQ, and level of the change, of a burst
OTHER_KINDS = tuple(kind for kind in DEGRADATIONS if kind != "noise")
BURST_KINDS = tuple(kind for kind in OTHER_KINDS if kind != "gain")


@dataclass(frozen=True)
class ClipRecipe:
    """A clip before its labels: ``other`` replaces ``base`` in the ``intervals``, (start_s, end_s) each.

    ``worse`` is the version that gives the clip its group and its SNR; the base when None. ``passage`` is
    None in clips without speech, and no reference where only a teacher can label it.
    """

    passage: Passage | None
    base: Version
    other: Version | None = None
    intervals: tuple[tuple[float, float], ...] = ()
    worse: Version | None = None
    extra: tuple = ()  # more entries of the manifest, (name, value) pairs


def _train(generator: np.random.Generator, pools: Pools, index: int) -> ClipRecipe:
    if pools.unlabelled and generator.random() < UNLABELLED_SHARE:
        return _unlabelled(generator, pools)
    choice = generator.random()
    seconds = generator.uniform(*(LONG_SECONDS if generator.random() < LONG_SHARE else TRAIN_SECONDS))
    if choice < NO_SPEECH_SHARE:
        return ClipRecipe(None, no_speech(generator, pools, round(seconds * RATE)))
    passage = pools.speech.draw(generator, seconds)
    steps: list[str] = []
    if generator.random() < OTHER_VOICE_SHARE:
        passage = replace(passage, samples=other_voice(passage.samples, generator))
    if generator.random() < RERECORDED_SHARE:
        passage, steps = _rerecorded(passage, generator)
    if generator.random() < PAUSE_SHARE:
        passage = _with_pause(passage, generator)
    return replace(_degraded_recipe(generator, pools, passage, choice), extra=(("rerecorded", steps),))


def _unlabelled(generator: np.random.Generator, pools: Pools) -> ClipRecipe:
    """A recording of any quality, as it is or degraded; only a teacher labels it."""
    passage = pools.unlabelled.draw(generator, generator.uniform(*TRAIN_SECONDS))
    if generator.random() < UNCHANGED_SHARE:
        return ClipRecipe(passage, Version(passage.samples))
    kind = str(generator.choice([*DEGRADATIONS, COMBINED]))
    return ClipRecipe(passage, degraded(passage.samples, kind, generator.random(), generator, pools))


def _rerecorded(passage: Passage, generator: np.random.Generator) -> tuple[Passage, list[str]]:
    """The passage under other recording conditions, or unchanged where PESQ would notice; and the steps."""
    samples, steps = rerecorded(passage.samples, generator)
    score = labels.pesq_wb(passage.samples, samples)
    if score is None or score < MIN_RERECORDED_PESQ:
        return passage, []
    return replace(passage, samples=samples), steps


def _degraded_recipe(
    generator: np.random.Generator, pools: Pools, passage: Passage, choice: float
) -> ClipRecipe:
    """A train clip with speech; ``choice``, 0 to 1, selects its kind by the shares."""
    if choice < NO_SPEECH_SHARE + CLEAN_SHARE:
        return ClipRecipe(passage, Version(passage.samples))
    severity = generator.random()
    if choice < NO_SPEECH_SHARE + CLEAN_SHARE + NOISE_SHARE:
        kind = "noise"
    else:
        kinds = (*OTHER_KINDS, COMBINED)
        weights = np.array([WEIGHTS.get(kind, 1.0) for kind in kinds])
        kind = str(generator.choice(kinds, p=weights / weights.sum()))
    if kind == "noise" and generator.random() < EVEN_SNR_SHARE:
        worse = with_noise(passage.samples, generator.uniform(*SNR_DB), generator, pools)
    else:
        worse = degraded(passage.samples, kind, severity, generator, pools)
    if generator.random() >= CHANGING_SHARE:
        return ClipRecipe(passage, worse)
    choice = generator.random()
    if choice < 0.5:
        better = Version(passage.samples)
    elif choice < 0.8:
        better = mild(passage.samples, generator, pools)
    else:
        better = degraded(passage.samples, kind, severity * generator.uniform(0, 0.6), generator, pools)
    intervals = _intervals(generator, len(passage.samples) / RATE)
    base, other = (better, worse) if generator.random() < WORSE_INSIDE_SHARE else (worse, better)
    return ClipRecipe(passage, base, other, intervals, worse)


def _dev_noise(generator: np.random.Generator, pools: Pools, index: int) -> ClipRecipe:
    passage = pools.speech.draw(generator, generator.uniform(*DEV_SECONDS))
    return ClipRecipe(passage, with_noise(passage.samples, generator.uniform(*SNR_DB), generator, pools))


def _dev_mixed(generator: np.random.Generator, pools: Pools, index: int) -> ClipRecipe:
    passage = pools.speech.draw(generator, generator.uniform(*DEV_SECONDS))
    kind = (*DEGRADATIONS, COMBINED)[index % (len(DEGRADATIONS) + 1)]
    return ClipRecipe(passage, degraded(passage.samples, kind, generator.random(), generator, pools))


def _dev_clean(generator: np.random.Generator, pools: Pools, index: int) -> ClipRecipe:
    passage = pools.speech.draw(generator, generator.uniform(*DEV_SECONDS))
    return ClipRecipe(passage, Version(passage.samples))


def _dev_pairs(generator: np.random.Generator, pools: Pools, index: int) -> ClipRecipe:
    passage = pools.speech.draw(generator, generator.uniform(*DEV_SECONDS))
    snr_db = generator.uniform(*PAIR_SNR_DB) + PAIR_STEP_DB * (index % 2)
    extra = (("pair", index // 2), ("pair_rank", index % 2))
    return ClipRecipe(passage, with_noise(passage.samples, snr_db, generator, pools), extra=extra)


def _dev_bursts(generator: np.random.Generator, pools: Pools, index: int) -> ClipRecipe:
    while True:
        passage = pools.speech.draw(generator, generator.uniform(*BURST_SECONDS))
        length = generator.uniform(*BURST_S)
        start = generator.uniform(0, len(passage.samples) / RATE - length)
        part = slice(round(start * RATE), round((start + length) * RATE))
        activity = labels.speech_activity(passage.samples)[part.start // SPEC.hop : part.stop // SPEC.hop]
        if np.mean(activity) < BURST_SPEECH:
            continue
        better = (
            Version(passage.samples) if generator.random() < 0.5 else mild(passage.samples, generator, pools)
        )
        kind = "noise" if index % 2 else BURST_KINDS[index // 2 % len(BURST_KINDS)]
        worse = degraded(passage.samples, kind, generator.uniform(0.4, 1.0), generator, pools)
        change = float(np.sqrt(np.mean(np.square(worse.samples[part] - better.samples[part]))))
        if change < active_level(passage.samples) * 10 ** (BURST_CHANGE_DB / 20):
            continue
        score = labels.pesq_wb(passage.samples, worse.samples)
        before = labels.pesq_wb(passage.samples, better.samples)
        if score is not None and before is not None and before - score >= BURST_DROP:
            burst = (start, start + length)
            return ClipRecipe(
                passage, better, worse, (burst,), worse, (("burst", [round(at, 3) for at in burst]),)
            )


def _dev_no_speech(generator: np.random.Generator, pools: Pools, index: int) -> ClipRecipe:
    return ClipRecipe(None, no_speech(generator, pools, round(generator.uniform(*DEV_SECONDS) * RATE)))


def _with_pause(passage: Passage, generator: np.random.Generator) -> Passage:
    """The passage with seconds of digital silence before or after it."""
    silence = np.zeros(round(generator.uniform(*PAUSE_S) * RATE), np.float32)
    order = [silence, passage.samples] if generator.random() < 0.5 else [passage.samples, silence]
    return replace(passage, samples=np.concatenate(order))


def _intervals(generator: np.random.Generator, seconds: float) -> tuple[tuple[float, float], ...]:
    """One or two intervals of 0.3 to 2 s, one in each half of the clip when there are two."""
    count = int(generator.integers(1, 3))
    found = []
    for part in range(count):
        length = min(generator.uniform(*INTERVAL_S), 0.9 * seconds / count)
        start = seconds * part / count + generator.uniform(0, seconds / count - length)
        found.append((start, start + length))
    return tuple(found)


RECIPES = {
    TRAIN_SET: _train,
    "dev_noise": _dev_noise,
    "dev_mixed": _dev_mixed,
    "dev_clean": _dev_clean,
    "dev_pairs": _dev_pairs,
    "dev_bursts": _dev_bursts,
    "dev_no_speech": _dev_no_speech,
}
