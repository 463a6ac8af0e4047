"""Another recording of a clean passage: other voice, microphone, room, device and noise, all of them mild.

PESQ compares with a reference, and references differ by how they were recorded: what is a fault in one is
how another always was. The few recorded corpora teach a network their own microphones by heart; here every
training passage gets one of its own, before anything befalls it and the reference alike.
"""

import numpy as np
import soxr
from scipy.signal import butter, sosfiltfilt

from aqscore.model.features import SPEC
from training.corpus.labels import active_level
from training.corpus.noises import coloured, equalised
from training.corpus.references import WORDS_FLOOR_DB, clean, levelled
from training.corpus.speech import Passage
from training.degradations.codecs import CODECS, code
from training.degradations.kinds import decaying_room, in_room, moving_level

RATE = SPEC.sample_rate_hz
SPEED = (0.82, 1.22)
EQUALISER_DB = 4.5
LOW_CUT_HZ, HIGH_CUT_HZ = (60.0, 350.0), (3_500.0, 7_800.0)
STEEPEST = 3  # order of either cut
DIRECT_RATIO_DB, DECAY_S = (10.0, 28.0), (0.08, 0.5)
DRIVE = (0.3, 1.5)  # the loudest sample, in units of where the curve bends
COMPRESSION, COMPRESSION_S = (0.05, 0.35), (0.05, 0.4)
FLOOR_DB = (-60.0, -33.0)  # below active speech, before it is cleaned as every reference is
CODED_BY, CODED_SEVERITY = ("mp3", "opus", "vorbis"), 0.4  # at most, of what random_codec draws from


def rerecorded(passage: Passage, generator: np.random.Generator) -> tuple[Passage, list[str]]:
    """The passage as another recording would have it, at the level of every reference; and what was done."""
    samples, done = passage.samples, []
    for name, (share, step) in STEPS.items():
        if generator.random() < share:
            samples = step(samples, generator)
            done.append(name)
    return Passage(levelled(samples).astype(np.float32), passage.speakers, passage.files), done


def _speed(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Faster and higher, or slower and lower: a shorter or a longer vocal tract."""
    return soxr.resample(samples, RATE * generator.uniform(*SPEED), RATE)


def _equaliser(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return equalised(samples, generator, EQUALISER_DB)


def _low_cut(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return _cut(samples, generator, LOW_CUT_HZ, "highpass")


def _high_cut(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return _cut(samples, generator, HIGH_CUT_HZ, "lowpass")


def _cut(samples: np.ndarray, generator: np.random.Generator, hertz: tuple, kind: str) -> np.ndarray:
    """Forwards and backwards: no delay, 6 dB at the corner."""
    order = int(generator.integers(1, STEEPEST + 1))
    return sosfiltfilt(butter(order, generator.uniform(*hertz), kind, fs=RATE, output="sos"), samples)


def _room(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A little reverberation: far less than what is heard as a fault."""
    response = decaying_room(generator.uniform(*DECAY_S), generator)
    return in_room(samples, response, generator.uniform(*DIRECT_RATIO_DB), early=1)


def _drive(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A microphone that bends near its limit."""
    bend = float(np.max(np.abs(samples))) / generator.uniform(*DRIVE)
    return bend * np.tanh(samples / bend)


def _compression(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """An automatic gain: quiet syllables a little louder, pauses not."""
    level = moving_level(samples, round(generator.uniform(*COMPRESSION_S) * RATE))
    return samples * np.maximum(level, 0.1) ** -generator.uniform(*COMPRESSION)


def _floor(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Steady noise that cleaning took out of the pauses, and out of the words where it was loud."""
    floor_db = generator.uniform(*FLOOR_DB)
    noise = equalised(coloured(generator.uniform(-6, 2), generator, len(samples)), generator)
    noise *= active_level(samples) * 10 ** (floor_db / 20) / np.sqrt(np.mean(np.square(noise)))
    return clean(samples + noise, words=floor_db > WORDS_FLOOR_DB)


def _coded(samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A lossy file at a high rate, as telephones and recorders keep."""
    name = CODED_BY[generator.integers(len(CODED_BY))]
    return code(samples, name, RATE, CODECS[name].level(generator.uniform(0, CODED_SEVERITY)))


# In the order in which they happen: which share of the passages gets each.
STEPS = {
    "speed": (0.6, _speed),
    "equaliser": (0.7, _equaliser),
    "low_cut": (0.4, _low_cut),
    "high_cut": (0.25, _high_cut),
    "room": (0.4, _room),
    "drive": (0.25, _drive),
    "compression": (0.25, _compression),
    "floor": (0.3, _floor),
    "coded": (0.2, _coded),
}
