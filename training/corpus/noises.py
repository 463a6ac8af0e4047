"""Noise of every sort, at RMS 1: files by kind, varied at will, babble, and what needs no file at all."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import fftconvolve, lfilter

from aqscore.model.features import SPEC
from training.corpus.references import read_audio
from training.corpus.speech import SpeechPool
from training.corpus.splits import TALKING, TRAIN

RATE = SPEC.sample_rate_hz
BABBLE_SHARE, PAIR_SHARE = 0.10, 0.18  # of the noises drawn; the rest are of one kind
SYNTHETIC_SHARE = 0.15  # in training only
TRAIN_ONLY_SHARE = 0.5  # of the kinds drawn, where there are some: hundreds of sounds, but out of games
# Chances that a training noise is varied so; it is gated or scattered, or neither.
EQUALISED, RESAMPLED, GATED, SCATTERED = 0.5, 0.4, 0.2, 0.25
VOICES = (3, 8)
EQUALISER_BANDS, EQUALISER_DB = 8, 6.0
SPEED = (0.7, 1.4)
EVENTS_PER_S, EVENT_DECAY_S = (0.7, 10.0), (0.008, 0.15)
REGULAR = (0.05, 0.5, 1.0)  # share of chance in the time from one event to the next: clocks, feet, fingers
ENVELOPE_HOP = 64  # samples, 4 ms


@dataclass(frozen=True)
class NoisePool:
    """The noise files of one split, {kind: paths}, and the speech of the same split for babble.

    ``train_only`` are those of folders that are marked so.
    """

    files: dict[str, tuple[str, ...]]
    speech: SpeechPool
    split: str
    train_only: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError when no kind is left in which nobody talks."""
        if all(_talks(kind) for kind in self.files):
            raise ValueError(
                f"The {self.split} split has no noise without talk in it, expected some of several kinds: "
                "add noise files, named after what is heard."
            )

    def draw(self, generator: np.random.Generator, length: int) -> tuple[np.ndarray, list[str], dict]:
        """(length,) float32 of RMS 1, its kinds, and how it was varied; development noise is not."""
        train = self.split == TRAIN
        choice = generator.random()
        if choice < BABBLE_SHARE:
            noise, kinds = self._babble(generator, length), [f"babble-{self.split}"]
        elif choice < BABBLE_SHARE + PAIR_SHARE:
            noise, kinds = self._paired(*self.one_kind(generator, length), generator)
        elif train and choice < BABBLE_SHARE + PAIR_SHARE + SYNTHETIC_SHARE:
            noise, kind = synthetic(generator, length)
            kinds = [kind]
        else:
            noise, kind = self.one_kind(generator, length)
            kinds = [kind]
        varied = {}
        if train:
            noise, varied = _varied(noise, generator)
        return _unit(noise), kinds, varied

    def draw_speechless(self, generator: np.random.Generator, length: int) -> tuple[np.ndarray, list[str]]:
        """(length,) float32 of RMS 1 in which nobody talks, and its kinds."""
        noise, kind = self.one_kind(generator, length, talking=False)
        if self.split != TRAIN:
            return noise, [kind]
        kinds = [kind]
        if generator.random() < PAIR_SHARE:
            noise, kinds = self._paired(noise, kind, generator, talking=False)
        noise, _ = _varied(noise, generator)
        return _unit(noise), kinds

    def one_kind(
        self, generator: np.random.Generator, length: int, talking: bool = True
    ) -> tuple[np.ndarray, str]:
        """(length,) float32 of RMS 1 of one kind, and the kind; people talk in it only if ``talking``."""
        apart = self.train_only and generator.random() < TRAIN_ONLY_SHARE
        files = self.train_only if apart else self.files
        kinds = [kind for kind in sorted(files) if talking or not _talks(kind)]
        kind = kinds[generator.integers(len(kinds))]
        samples = _load(files[kind][generator.integers(len(files[kind]))])
        if self.split == TRAIN and generator.random() < RESAMPLED:
            speed = generator.uniform(*SPEED)
            at = np.arange(0, len(samples) - 1, speed)
            samples = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
        start = int(generator.integers(len(samples)))
        repeated = np.tile(samples, 1 + -(-(start + length) // len(samples)))
        return _unit(repeated[start : start + length]), kind

    def _paired(
        self, noise: np.ndarray, kind: str, generator: np.random.Generator, talking: bool = True
    ) -> tuple[np.ndarray, list[str]]:
        """The noise with a second one, as loud or up to 10 dB softer, and both kinds."""
        second, other = self.one_kind(generator, len(noise), talking)
        return noise + second * 10 ** (generator.uniform(-10, 0) / 20), sorted({kind, other})

    def _babble(self, generator: np.random.Generator, length: int) -> np.ndarray:
        voices = [
            self.speech.passage(generator, length)
            for _ in range(generator.integers(VOICES[0], VOICES[1] + 1))
        ]
        return sum(voice * np.float32(10 ** (generator.uniform(-6, 0) / 20)) for voice in voices)


def synthetic(generator: np.random.Generator, length: int) -> tuple[np.ndarray, str]:
    """(length,) float32 of RMS 1 of noise that is computed, and its name."""
    name = ("coloured", "hum", "clicks", "modulated", "white-noise", "pink-noise", "brown-noise")[
        generator.integers(7)
    ]
    return computed(name, generator, length), name


def computed(name: str, generator: np.random.Generator, length: int) -> np.ndarray:
    """(length,) float32 of RMS 1: white, pink or brown noise, coloured, modulated, hum, or clicks."""
    if name == "hum":
        base = generator.choice([50.0, 60.0, 100.0, 120.0, 400.0]) * generator.uniform(0.98, 1.02)
        return _unit(harmonics(base, int(generator.integers(1, 20)), generator, length))
    if name == "clicks":
        train = generator.standard_normal(length) * (
            generator.random(length) < generator.uniform(2, 60) / RATE
        )
        decay = np.exp(-np.arange(160) / generator.uniform(2, 60)) * generator.standard_normal(160)
        return _unit(fftconvolve(train, decay)[:length] + 1e-6 * generator.standard_normal(length))
    slope = {"white-noise": 0.0, "pink-noise": -3.0, "brown-noise": -6.0}.get(name, generator.uniform(-9, 4))
    noise = coloured(slope, generator, length)
    if name == "modulated":
        at = np.arange(length) / RATE
        noise *= 1 + generator.uniform(0.5, 1) * np.sin(
            2 * np.pi * (generator.uniform(0.5, 12) * at + generator.random())
        )
    return _unit(noise)


def coloured(slope: float, generator: np.random.Generator, length: int) -> np.ndarray:
    """(length,) noise whose spectrum falls by ``slope`` dB an octave above 20 Hz."""
    spectrum = np.fft.rfft(generator.standard_normal(length))
    hertz = np.maximum(np.fft.rfftfreq(length, 1 / RATE), 20.0)
    return np.fft.irfft(spectrum * (hertz / 1000.0) ** (slope / (20 * np.log10(2))), length).astype(
        np.float32
    )


def harmonics(base: float, count: int, generator: np.random.Generator, length: int) -> np.ndarray:
    """(length,) sum of the first ``count`` harmonics of ``base`` Hz, random in level and phase."""
    at = np.arange(length) / RATE
    total = np.zeros(length)
    for number in range(1, count + 1):
        if number * base < 7500:
            total += (
                generator.uniform(0.1, 1)
                / number
                * np.sin(2 * np.pi * (number * base * at + generator.random()))
            )
    return total.astype(np.float32)


def music(generator: np.random.Generator, length: int) -> np.ndarray:
    """(length,) float32 of RMS 1: chords and a tune of plucked or held harmonic notes."""
    total = np.zeros(length, np.float32)
    key = 110.0 * 2 ** generator.uniform(0, 1.5)
    beat = int(RATE * generator.uniform(0.12, 0.6))
    decay = generator.uniform(0.3, 4.0) * RATE
    for start in range(0, length, beat):
        for _ in range(generator.integers(1, 4)):
            size = min(length - start, int(beat * generator.uniform(0.8, 2.5)))
            note = key * 2 ** (generator.choice([0, 2, 4, 5, 7, 9, 12, 14, 16]) / 12)
            envelope = np.minimum(np.arange(size) / 200, 1) * np.exp(-np.arange(size) / decay)
            envelope *= np.minimum(np.arange(size)[::-1] / 200, 1)
            total[start : start + size] += (
                harmonics(note, int(generator.integers(1, 8)), generator, size) * envelope
            )
    return _unit(total)


def equalised(
    sound: np.ndarray, generator: np.random.Generator, spread_db: float = EQUALISER_DB
) -> np.ndarray:
    """The sound through a random smooth gain curve, about +- twice ``spread_db``."""
    size = next_fast_len(len(sound), real=True)
    spectrum = rfft(sound, size)
    curve = generator.normal(0, spread_db, EQUALISER_BANDS)
    at = np.linspace(0, EQUALISER_BANDS - 1, len(spectrum)) ** 0.5 * (EQUALISER_BANDS - 1) ** 0.5
    gain = 10 ** (np.interp(at, np.arange(EQUALISER_BANDS), curve) / 20)
    return irfft(spectrum * gain, size)[: len(sound)].astype(np.float32)


def _varied(noise: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, dict]:
    """The noise equalised, gated or scattered by chance, and which."""
    varied = {}
    if generator.random() < EQUALISED:
        noise, varied["equalised"] = equalised(noise, generator), True
    choice = generator.random()
    if choice < GATED:
        noise, varied["gated"] = noise * gate(generator, len(noise)), True
    elif choice < GATED + SCATTERED:
        noise, varied["scattered"] = noise * scatter(generator, len(noise)), True
    return noise, varied


def scatter(generator: np.random.Generator, length: int) -> np.ndarray:
    """(length,) float32 of gains that leave short events of a noise, as of clocks, keys, feet or frogs."""
    between = 1 / np.exp(generator.uniform(*np.log(EVENTS_PER_S)))
    chance = generator.choice(REGULAR)
    count = 2 + int(4 * length / RATE / between)
    gaps = between * (1 - chance + chance * generator.exponential(size=count))
    at = ((np.cumsum(gaps) - gaps[0] * generator.random()) * RATE / ENVELOPE_HOP).astype(int)
    steps = 1 + -(-length // ENVELOPE_HOP)
    struck = np.zeros(steps)
    struck[at[at < steps]] = 10 ** (generator.normal(0, 4, np.count_nonzero(at < steps)) / 20)
    struck[at[0] % steps] = 1.0  # one there is, however short the noise
    decay_s = np.exp(generator.uniform(*np.log(EVENT_DECAY_S)))
    ringing = lfilter([1.0], [1.0, -np.exp(-ENVELOPE_HOP / RATE / decay_s)], struck)
    return _envelope(ringing + 10 ** (generator.uniform(-60, -25) / 20), length)


def gate(generator: np.random.Generator, length: int) -> np.ndarray:
    """(length,) float32 of gains: stretches of 0.2 to 1.5 s at 0 dB and at one of -40 to -6 dB."""
    quiet = 10 ** (generator.uniform(-40, -6) / 20)
    edges = np.cumsum(generator.uniform(0.2, 1.5, 2 + length // (RATE // 5))) * RATE
    loud = (np.searchsorted(edges, np.arange(0, length, ENVELOPE_HOP)) + generator.integers(2)) % 2
    loud[: 1 if loud.any() else None] = 1
    return _envelope(np.where(loud, 1.0, quiet), length)


def _envelope(gain: np.ndarray, length: int) -> np.ndarray:
    """(length,) float32: gains known every ``ENVELOPE_HOP`` samples, linear between."""
    return np.interp(np.arange(length), np.arange(len(gain)) * ENVELOPE_HOP, gain).astype(np.float32)


@lru_cache(maxsize=1024)
def _load(path: str) -> np.ndarray:
    return read_audio(Path(path))


def _talks(kind: str) -> bool:
    return bool(re.search(TALKING, kind))


def _unit(noise: np.ndarray) -> np.ndarray:
    return (noise / max(float(np.sqrt(np.mean(np.square(noise, dtype=np.float64)))), 1e-6)).astype(np.float32)
