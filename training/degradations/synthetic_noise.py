"""Computed noises, tones and music, and changes of a noise's spectrum and envelope."""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import fftconvolve, lfilter

from aqscore.model.features import SPEC

RATE = SPEC.sample_rate_hz
EQUALISER_BANDS, EQUALISER_DB = 8, 6.0
EVENTS_PER_S, EVENT_DECAY_S = (0.7, 10.0), (0.008, 0.15)
RANDOMNESS = (0.05, 0.5, 1.0)  # of the time between events: clocks are regular, footsteps and keys less
ENVELOPE_HOP = 64  # samples, 4 ms


def synthetic(generator: np.random.Generator, length: int) -> tuple[np.ndarray, str]:
    """(length,) float32 of RMS 1 of a computed noise, and its name."""
    name = ("coloured", "hum", "clicks", "modulated", "white-noise", "pink-noise", "brown-noise")[
        generator.integers(7)
    ]
    return computed(name, generator, length), name


def computed(name: str, generator: np.random.Generator, length: int) -> np.ndarray:
    """(length,) float32 of RMS 1: white, pink or brown noise, coloured, modulated, hum, or clicks."""
    if name == "hum":
        base = generator.choice([50.0, 60.0, 100.0, 120.0, 400.0]) * generator.uniform(0.98, 1.02)
        return unit_rms(harmonics(base, int(generator.integers(1, 20)), generator, length))
    if name == "clicks":
        train = generator.standard_normal(length) * (
            generator.random(length) < generator.uniform(2, 60) / RATE
        )
        decay = np.exp(-np.arange(160) / generator.uniform(2, 60)) * generator.standard_normal(160)
        return unit_rms(fftconvolve(train, decay)[:length] + 1e-6 * generator.standard_normal(length))
    slope = {"white-noise": 0.0, "pink-noise": -3.0, "brown-noise": -6.0}.get(name, generator.uniform(-9, 4))
    noise = coloured(slope, generator, length)
    if name == "modulated":
        at = np.arange(length) / RATE
        noise *= 1 + generator.uniform(0.5, 1) * np.sin(
            2 * np.pi * (generator.uniform(0.5, 12) * at + generator.random())
        )
    return unit_rms(noise)


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
    """(length,) float32 of RMS 1: chords and melodies of plucked or held harmonic notes."""
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
    return unit_rms(total)


def equalised(
    sound: np.ndarray, generator: np.random.Generator, spread_db: float = EQUALISER_DB
) -> np.ndarray:
    """The (n,) sound filtered by a random smooth gain curve, about +- twice ``spread_db``."""
    size = next_fast_len(len(sound), real=True)
    spectrum = rfft(sound, size)
    curve = generator.normal(0, spread_db, EQUALISER_BANDS)
    at = np.linspace(0, EQUALISER_BANDS - 1, len(spectrum)) ** 0.5 * (EQUALISER_BANDS - 1) ** 0.5
    gain = 10 ** (np.interp(at, np.arange(EQUALISER_BANDS), curve) / 20)
    return irfft(spectrum * gain, size)[: len(sound)].astype(np.float32)


def scatter(generator: np.random.Generator, length: int) -> np.ndarray:
    """(length,) float32 of gains that leave short events of a noise, as of clocks, keys or footsteps."""
    between = 1 / np.exp(generator.uniform(*np.log(EVENTS_PER_S)))
    chance = generator.choice(RANDOMNESS)
    count = 2 + int(4 * length / RATE / between)
    gaps = between * (1 - chance + chance * generator.exponential(size=count))
    at = ((np.cumsum(gaps) - gaps[0] * generator.random()) * RATE / ENVELOPE_HOP).astype(int)
    steps = 1 + -(-length // ENVELOPE_HOP)
    struck = np.zeros(steps)
    struck[at[at < steps]] = 10 ** (generator.normal(0, 4, np.count_nonzero(at < steps)) / 20)
    struck[at[0] % steps] = 1.0  # at least one event, however short the noise
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
    """(length,) float32 gains, interpolated from one every ``ENVELOPE_HOP`` samples."""
    return np.interp(np.arange(length), np.arange(len(gain)) * ENVELOPE_HOP, gain).astype(np.float32)


def unit_rms(noise: np.ndarray) -> np.ndarray:
    """(n,) float32 scaled to an RMS of 1."""
    return (noise / max(float(np.sqrt(np.mean(np.square(noise, dtype=np.float64)))), 1e-6)).astype(np.float32)
