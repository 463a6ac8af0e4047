"""Noise suppression with its artefacts: computed, FFmpeg's, and that of voice applications."""

import numpy as np

from training.degradations import ffmpeg, voice_processing
from training.degradations.codecs import aligned
from training.degradations.noise import Noises
from training.levels import active_level
from training.spectra import decision_directed, quiet_spectrum, subtraction, to_samples, to_spectrum

REAL_SHARE = 0.6  # of the recordings are processed by programs in use, not by computed gains


def suppression(
    samples: np.ndarray, severity: float, generator: np.random.Generator, noise: np.ndarray | None = None
) -> tuple[np.ndarray, dict]:
    """(n,) samples after noise suppression at 45 to 0 dB SNR, with its musical noise; and the record.

    ``noise`` is (n,) of RMS 1, white when None.
    """
    snr_db = 45.0 - 48.0 * severity
    if noise is None:
        noise = generator.standard_normal(len(samples)).astype(np.float32)
    level = active_level(samples)
    noisy = samples + noise * np.float32(level * 10 ** (-snr_db / 20))
    if generator.random() < REAL_SHARE:
        output, method = _suppressed(noisy, level, generator)
        return output, {"kind": "suppression", "snr_db": snr_db, "method": method}
    spectrum = to_spectrum(noisy)
    floor = 10 ** (generator.uniform(-35, -10) / 20)
    record: dict = {"snr_db": snr_db, "gain_floor_db": 20 * np.log10(floor)}
    if generator.random() < 0.5:
        over = generator.uniform(1.0, 5.0)
        gains = subtraction(spectrum, quiet_spectrum(spectrum), floor, over)
        record |= {"method": "spectral subtraction", "over": over}
    else:
        smoothing = generator.uniform(0.5, 0.98)
        gains = decision_directed(spectrum, quiet_spectrum(spectrum), floor, smoothing)
        record |= {"method": "Wiener", "smoothing": smoothing}
    return to_samples(spectrum * gains, len(samples)), {"kind": "suppression", **record}


def _suppressed(noisy: np.ndarray, level: float, generator: np.random.Generator) -> tuple[np.ndarray, str]:
    """(n,) samples through the noise suppression of a program; and its name."""
    processors = voice_processing.suppressors()
    choice = int(generator.integers(2 + len(processors)))
    if choice == 0:
        floor_db = np.clip(20 * np.log10(level) - generator.uniform(5, 35), -80, -20)
        options = f"nr={generator.uniform(6, 40):.1f}:nf={floor_db:.1f}:tn={generator.integers(2)}"
        return aligned(ffmpeg.filtered(noisy, "afftdn", options), noisy), "afftdn"
    if choice == 1:  # not anlmdn, which writes beyond its memory in the FFmpeg of PyAV 19
        sigma = level * 10 ** (generator.uniform(-40, -5) / 20)
        options = f"sigma={sigma:.6f}:percent={generator.uniform(50, 100):.0f}"
        return aligned(ffmpeg.filtered(noisy, "afwtdn", options), noisy), "afwtdn"
    name = sorted(processors)[choice - 2]
    return aligned(processors[name](noisy, generator), noisy), name


def noisy_suppression(
    samples: np.ndarray, severity: float, generator: np.random.Generator, noises: Noises
) -> tuple[np.ndarray, dict]:
    """(n,) samples after suppression of noise from the pool, and the record."""
    noise, kinds, _ = noises.draw(generator, len(samples))
    output, record = suppression(samples, severity, generator, noise)
    return output, record | {"noise_kinds": kinds}
