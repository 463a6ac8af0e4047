"""Simulated re-recording of a clean passage: another voice, then microphone, room, device and noise, mild.

PESQ compares with a reference, and a property of one recording may be a degradation in another. A network
memorises the microphones of the few recorded corpora. So most training passages get recording conditions of
their own, before they serve as reference and are degraded (docs/decisions/0021).
"""

import numpy as np
import soxr
from scipy.signal import butter, sosfiltfilt

from aqscore.model.features import SPEC
from training.cleaning import WORDS_FLOOR_DB, clean, levelled
from training.degradations.codecs import CODECS, code
from training.degradations.gain import moving_level
from training.degradations.reverberation import apply_room, decaying_response
from training.degradations.synthetic_noise import coloured, equalised
from training.levels import active_level

RATE = SPEC.sample_rate_hz
SPEED = (0.82, 1.22)
EQUALISER_DB = 4.5
LOW_CUT_HZ, HIGH_CUT_HZ = (60.0, 350.0), (3_500.0, 7_800.0)
MAX_CUT_ORDER = 3
DIRECT_RATIO_DB, DECAY_S = (10.0, 28.0), (0.08, 0.5)
DRIVE = (0.3, 1.5)  # peak over the limit of the saturation curve
COMPRESSION, COMPRESSION_S = (0.05, 0.35), (0.05, 0.4)
FLOOR_DB = (-60.0, -33.0)  # relative to active speech, before cleaning
LOSSY_CODECS, MAX_CODEC_SEVERITY = ("mp3", "opus", "vorbis"), 0.4


def other_voice(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """(n,) samples faster and higher, or slower and lower: like a shorter or a longer vocal tract."""
    return soxr.resample(samples, RATE * generator.uniform(*SPEED), RATE)


def rerecorded(samples: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, list[str]]:
    """(n,) samples under other recording conditions, at the level of every reference; and the steps."""
    steps = []
    for name, (share, step) in STEPS.items():
        if generator.random() < share:
            samples = step(samples, generator)
            steps.append(name)
    return levelled(samples).astype(np.float32), steps


def _equaliser(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return equalised(samples, generator, EQUALISER_DB)


def _low_cut(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return _cut(samples, generator, LOW_CUT_HZ, "highpass")


def _high_cut(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return _cut(samples, generator, HIGH_CUT_HZ, "lowpass")


def _cut(
    samples: np.ndarray, generator: np.random.Generator, hertz: tuple[float, float], kind: str
) -> np.ndarray:
    """Forwards and backwards: no delay, 6 dB at the corner."""
    order = int(generator.integers(1, MAX_CUT_ORDER + 1))
    return sosfiltfilt(butter(order, generator.uniform(*hertz), kind, fs=RATE, output="sos"), samples)


def _room(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A little reverberation."""
    response = decaying_response(generator.uniform(*DECAY_S), generator)
    return apply_room(samples, response, generator.uniform(*DIRECT_RATIO_DB), early=1)


def _drive(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A microphone that saturates."""
    limit = float(np.max(np.abs(samples))) / generator.uniform(*DRIVE)
    return limit * np.tanh(samples / limit)


def _compression(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Automatic gain control: quiet syllables get a little louder, pauses do not."""
    level = moving_level(samples, round(generator.uniform(*COMPRESSION_S) * RATE))
    return samples * np.maximum(level, 0.1) ** -generator.uniform(*COMPRESSION)


def _floor(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Steady noise, then cleaned: removed from the pauses, and from the words where it is loud."""
    floor_db = generator.uniform(*FLOOR_DB)
    noise = equalised(coloured(generator.uniform(-6, 2), generator, len(samples)), generator)
    noise *= active_level(samples) * 10 ** (floor_db / 20) / np.sqrt(np.mean(np.square(noise)))
    return clean(samples + noise, words=floor_db > WORDS_FLOOR_DB)


def _coded(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A lossy file at a high rate, as phones and recorders store it."""
    name = LOSSY_CODECS[generator.integers(len(LOSSY_CODECS))]
    return code(samples, name, RATE, CODECS[name].level(generator.uniform(0, MAX_CODEC_SEVERITY)))


# In order: the probability of each step.
STEPS = {
    "equaliser": (0.7, _equaliser),
    "low_cut": (0.4, _low_cut),
    "high_cut": (0.25, _high_cut),
    "room": (0.4, _room),
    "drive": (0.25, _drive),
    "compression": (0.25, _compression),
    "floor": (0.3, _floor),
    "coded": (0.2, _coded),
}
