"""A clip as drawn: speech, what befalls it, and when. Every set of the corpus is made of these."""

from dataclasses import dataclass, field

import numpy as np

from aqscore.model.features import SPEC
from training.corpus import noises
from training.corpus.labels import active_level
from training.corpus.noises import NoisePool
from training.corpus.speech import SpeechPool
from training.degradations import kinds as degradations
from training.degradations.codecs import random_codec

RATE = SPEC.sample_rate_hz

# Mean PESQ-WB of additive noise of every kind by SNR, measured on this corpus; read backwards, it turns
# evenly drawn scores into SNRs, so that labels cover the scale instead of crowding at its lower end.
SNR_DB = (-10.0, 0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 52.0)
SCORE = (1.04, 1.10, 1.2, 1.4, 1.75, 2.25, 2.8, 3.3, 3.8, 4.15, 4.4, 4.58)
SNR_SPREAD_DB = 4.0

# The order in which they happen on the way from a mouth to a listener, when there are several.
ORDER = (
    "reverb",
    "noise",
    "suppression",
    "mnru",
    "gain",
    "clipping",
    "bandlimit",
    "quantisation",
    "codec",
    "packet_loss",
)
COMBINED = "combined"
COMBINED_SEVERITY = 0.6  # of each of several, at most: three that ruin leave nothing to learn
OTHER_KINDS = tuple(kind for kind in ORDER if kind != "noise")


@dataclass(frozen=True)
class Pools:
    """What one split draws from; ``rooms`` are (name, response) pairs."""

    speech: SpeechPool
    noises: NoisePool
    rooms: tuple[tuple[str, np.ndarray], ...]


@dataclass(frozen=True)
class Version:
    """One whole degraded version (n,) of a passage and the records of what was done, in order."""

    samples: np.ndarray
    records: list[dict] = field(default_factory=list)

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


def snr_for(score: float) -> float:
    """The SNR in dB at which additive noise has that mean PESQ-WB."""
    return float(np.interp(score, SCORE, SNR_DB))


def with_noise(samples: np.ndarray, snr_db: float, generator: np.random.Generator, pools: Pools) -> Version:
    """Additive noise of the split at an SNR: active speech level over the noise's RMS, in dB."""
    noise, kinds, varied = pools.noises.draw(generator, len(samples))
    heard = samples + noise * np.float32(active_level(samples) * 10 ** (-snr_db / 20))
    return Version(heard, [{"kind": "noise", "noise_kinds": kinds, "snr_db": snr_db, **varied}])


def degraded(
    samples: np.ndarray, kind: str, severity: float, generator: np.random.Generator, pools: Pools
) -> Version:
    """A version of the passage by one kind of ORDER, or by several when ``kind`` is "combined"."""
    if kind == COMBINED:
        return _combined(samples, severity, generator, pools)
    if kind == "noise":
        snr_db = snr_for(SCORE[-1] - severity * (SCORE[-1] - SCORE[0])) + generator.normal(0, SNR_SPREAD_DB)
        return with_noise(samples, snr_db, generator, pools)
    if kind == "suppression":
        noise, kinds, _ = pools.noises.draw(generator, len(samples))
        heard, record = degradations.suppression(samples, severity, generator, noise)
        record["noise_kinds"] = kinds
    elif kind == "reverb":
        heard, record = degradations.reverb(samples, severity, generator, pools.rooms)
    elif kind == "codec":
        heard, record = random_codec(samples, severity, generator)
    else:
        heard, record = getattr(degradations, kind)(samples, severity, generator)
    return Version(heard, [record])


def mild(samples: np.ndarray, generator: np.random.Generator, pools: Pools) -> Version:
    """A version with a little noise: heard, but far better than what it is to be compared with."""
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
        sound, method = noises.synthetic(generator, length)
    elif method == "tones":
        sound = noises.harmonics(
            generator.uniform(60, 4000), int(generator.integers(1, 6)), generator, length
        )
        sound = sound * noises.gate(generator, length) if generator.random() < 0.5 else sound
    elif method == "music":
        sound = noises.music(generator, length)
    else:
        sound = np.zeros(length, np.float32)
    level_db = generator.uniform(-85, -60) if method == "quiet" else generator.uniform(-50, -15)
    sound = sound * np.float32(10 ** (level_db / 20))
    record = {"kind": "no_speech", "method": method, "level_dbfs": level_db, "noise_kinds": kinds}
    return Version(sound / max(1.0, float(np.max(np.abs(sound))) / 0.99), [record])


def _combined(samples: np.ndarray, severity: float, generator: np.random.Generator, pools: Pools) -> Version:
    count = int(generator.integers(2, 4))
    kinds = set(generator.choice(ORDER, count, replace=False).tolist())
    if generator.random() < 0.5:
        kinds.add("noise")
    records: list[dict] = []
    for kind in (kind for kind in ORDER if kind in kinds):
        version = degraded(
            samples, kind, COMBINED_SEVERITY * severity * generator.uniform(0.3, 1.0), generator, pools
        )
        samples, records = version.samples, records + version.records
    return Version(samples, records)
