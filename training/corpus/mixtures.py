"""Degraded versions of a passage: noise, one degradation, or several in a row."""

from dataclasses import dataclass, field

import numpy as np

from aqscore.model.features import SPEC
from training.corpus.noise_pool import NoisePool
from training.corpus.speech import SpeechPool
from training.degradations.bandwidth import bandlimit
from training.degradations.clipping import clipping
from training.degradations.codecs import random_codec
from training.degradations.gain import gain
from training.degradations.mnru import mnru
from training.degradations.packet_loss import packet_loss
from training.degradations.quantisation import quantisation
from training.degradations.reverberation import Room, reverb
from training.degradations.suppression import suppression
from training.degradations.synthetic_noise import gate, harmonics, music, synthetic
from training.levels import active_level

RATE = SPEC.sample_rate_hz

# Mean PESQ-WB of additive noise of every kind by SNR, measured on this corpus. Its inverse turns uniformly
# drawn scores into SNRs, so that labels cover the scale instead of its lower end alone.
SNR_DB = (-10.0, 0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 52.0)
SCORE = (1.04, 1.10, 1.2, 1.4, 1.75, 2.25, 2.8, 3.3, 3.8, 4.15, 4.4, 4.58)
SNR_SPREAD_DB = 4.0

# The order of several degradations: from the room through the microphone to the network.
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
COMBINED_SEVERITY = 0.6  # of each of several, at most: otherwise every label is at the lower end
OTHER_KINDS = tuple(kind for kind in ORDER if kind != "noise")
# Kinds that need the passage alone.
SIMPLE_KINDS = {
    "mnru": mnru,
    "gain": gain,
    "clipping": clipping,
    "bandlimit": bandlimit,
    "quantisation": quantisation,
    "codec": random_codec,
    "packet_loss": packet_loss,
}


@dataclass(frozen=True)
class Pools:
    """The sources of one split; ``rooms`` are (name, response) pairs."""

    speech: SpeechPool
    noises: NoisePool
    rooms: tuple[Room, ...]


@dataclass(frozen=True)
class Version:
    """A degraded version (n,) of a whole passage, and the records of its degradations, in order."""

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
    noise, kinds, augmentation = pools.noises.draw(generator, len(samples))
    noisy = samples + noise * np.float32(active_level(samples) * 10 ** (-snr_db / 20))
    return Version(noisy, [{"kind": "noise", "noise_kinds": kinds, "snr_db": snr_db, **augmentation}])


def degraded(
    samples: np.ndarray, kind: str, severity: float, generator: np.random.Generator, pools: Pools
) -> Version:
    """The passage with one degradation of ``ORDER``, or several when ``kind`` is "combined".

    ``severity`` is 0 (hardly audible) to 1 (ruined).
    """
    if kind == COMBINED:
        return _combined(samples, severity, generator, pools)
    if kind == "noise":
        snr_db = snr_for(SCORE[-1] - severity * (SCORE[-1] - SCORE[0])) + generator.normal(0, SNR_SPREAD_DB)
        return with_noise(samples, snr_db, generator, pools)
    if kind == "suppression":
        noise, kinds, _ = pools.noises.draw(generator, len(samples))
        output, record = suppression(samples, severity, generator, noise)
        record["noise_kinds"] = kinds
    elif kind == "reverb":
        output, record = reverb(samples, severity, generator, pools.rooms)
    else:
        output, record = SIMPLE_KINDS[kind](samples, severity, generator)
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
