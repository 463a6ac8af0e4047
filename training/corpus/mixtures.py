"""Degraded versions of a passage: noise, one degradation, or several in a row."""

import copy
from dataclasses import dataclass, field

import numpy as np

from training.corpus.noise_pool import NoisePool
from training.corpus.speech import SpeechPool, UnlabelledPool
from training.degradations import DEGRADATIONS
from training.degradations.noise import noise_at
from training.degradations.reverberation import Room
from training.degradations.synthetic_noise import gate, harmonics, music, synthetic

COMBINED = "combined"
COMBINED_SEVERITY = 0.6  # of each of several, at most: otherwise every label is at the lower end


@dataclass(frozen=True)
class Pools:
    """The sources of one split; ``rooms`` are (name, response) pairs, ``unlabelled`` may be empty."""

    speech: SpeechPool
    noises: NoisePool
    rooms: tuple[Room, ...]
    unlabelled: UnlabelledPool = field(default_factory=lambda: UnlabelledPool({}))


@dataclass(frozen=True)
class Version:
    """A degraded version (n,) of a whole passage, and the records of its degradations, in order.

    ``alone``: for several degradations, the passage with each of them alone.
    """

    samples: np.ndarray
    records: list[dict] = field(default_factory=list)
    alone: list[np.ndarray] = field(default_factory=list)

    @property
    def group(self) -> str:
        kinds = {record["kind"] for record in self.records}
        return "clean" if not kinds else kinds.pop() if len(self.records) == 1 else COMBINED

    @property
    def noise_kinds(self) -> list[str]:
        return sorted({kind for record in self.records for kind in record.get("noise_kinds", ())})

    @property
    def snr_db(self) -> float | None:
        return next((record["snr_db"] for record in self.records if record["kind"] == "noise"), None)


def with_noise(samples: np.ndarray, snr_db: float, generator: np.random.Generator, pools: Pools) -> Version:
    """Additive noise of the split at an SNR in dB."""
    noisy, record = noise_at(samples, snr_db, generator, pools.noises)
    return Version(noisy, [record])


def degraded(
    samples: np.ndarray, kind: str, severity: float, generator: np.random.Generator, pools: Pools
) -> Version:
    """The passage with one of ``DEGRADATIONS``, or several of them when ``kind`` is "combined".

    ``severity`` is 0 (hardly audible) to 1 (ruined).
    """
    if kind == COMBINED:
        return _combined(samples, severity, generator, pools)
    output, record = DEGRADATIONS[kind](samples, severity, generator, pools)
    return Version(output, [record])


def mild(samples: np.ndarray, generator: np.random.Generator, pools: Pools) -> Version:
    """The passage with a little noise: audible, but far better than the version that it is spliced with."""
    return with_noise(samples, generator.uniform(30.0, 45.0), generator, pools)


def no_speech(generator: np.random.Generator, pools: Pools, length: int) -> Version:
    """(length,) of noise, tones, hum, music or silence, at any level from digital silence to full scale."""
    method = ("file", "file", "file", "file", "computed", "computed", "tones", "music", "silence", "quiet")[
        generator.integers(10)
    ]
    kinds: list[str] = []
    if method in ("file", "quiet"):
        sound, kinds = pools.noises.draw_speechless(generator, length)
    elif method == "computed":
        sound, method = synthetic(generator, length)
    elif method == "tones":
        sound = harmonics(generator.uniform(60, 4000), int(generator.integers(1, 6)), generator, length)
        sound = sound * gate(generator, length) if generator.random() < 0.5 else sound
    elif method == "music":
        sound = music(generator, length)
    else:
        sound = np.zeros(length, np.float32)
    level_db = generator.uniform(-85, -60) if method == "quiet" else generator.uniform(-50, -15)
    sound = sound * np.float32(10 ** (level_db / 20))
    record = {"kind": "no_speech", "method": method, "level_dbfs": level_db, "noise_kinds": kinds}
    return Version(sound / max(1.0, float(np.max(np.abs(sound))) / 0.99), [record])


def _combined(samples: np.ndarray, severity: float, generator: np.random.Generator, pools: Pools) -> Version:
    count = int(generator.choice([2, 2, 2, 3]))
    kinds = set(generator.choice(list(DEGRADATIONS), count, replace=False).tolist())
    if generator.random() < 0.3:
        kinds.add("noise")
    passage, alone = samples, []
    records: list[dict] = []
    for kind in (kind for kind in DEGRADATIONS if kind in kinds):
        share = COMBINED_SEVERITY * severity * generator.uniform(0.2, 1.2)
        same_draws = copy.deepcopy(generator)
        version = degraded(samples, kind, share, generator, pools)
        samples, records = version.samples, records + version.records
        alone.append(degraded(passage, kind, share, same_draws, pools).samples)
    return Version(samples, records, alone)
