"""Noise suppression with its artefacts: computed, FFmpeg's, and that of voice applications."""

import numpy as np
from scipy.ndimage import uniform_filter
from scipy.signal import wiener

from training.degradations import ffmpeg, voice_processing
from training.degradations.codecs import aligned
from training.degradations.noise import Noises
from training.levels import active_level
from training.spectra import decision_directed, quiet_spectrum, subtraction, to_samples, to_spectrum

REAL_SHARE = 0.5  # of the recordings are processed by programs in use, not by computed gains
# Of the recordings: computed gains whose severity is how far they overestimate the noise, and remove speech
# with it; the noise itself may be inaudible. For the others, the severity is the noise that they remove.
AGGRESSIVE_SHARE, MAX_EXCESS_DB = 0.25, 30.0
FLOOR_DB = (-60.0, -8.0)  # lowest gain
LOCAL_WINDOW = (2, 20)  # samples on either side, of the Wiener filter in the time domain


def suppression(
    samples: np.ndarray, severity: float, generator: np.random.Generator, noise: np.ndarray | None = None
) -> tuple[np.ndarray, dict]:
    """(n,) samples after noise suppression at 45 to 0 dB SNR, with its musical noise; and the record.

    ``noise`` is (n,) of RMS 1, white when None.
    """
    choice = generator.random()
    aggressive = choice < AGGRESSIVE_SHARE
    snr_db = generator.uniform(10.0, 50.0) if aggressive else 45.0 - 48.0 * severity
    if noise is None:
        noise = generator.standard_normal(len(samples)).astype(np.float32)
    level = active_level(samples)
    noisy = samples + noise * np.float32(level * 10 ** (-snr_db / 20))
    if choice >= 1 - REAL_SHARE:
        output, method = _suppressed(noisy, level, generator)
        return output, {"kind": "suppression", "snr_db": snr_db, "method": method}
    excess_db = MAX_EXCESS_DB * severity if aggressive else 0.0
    output, record = _computed(noisy, level, excess_db, generator)
    return output, {"kind": "suppression", "snr_db": snr_db, "excess_db": excess_db, **record}


def _computed(
    noisy: np.ndarray, level: float, excess_db: float, generator: np.random.Generator
) -> tuple[np.ndarray, dict]:
    """(n,) samples after suppression by gains that overestimate the noise by ``excess_db``; the record."""
    excess = 10 ** (excess_db / 10)
    method = ("spectral subtraction", "Wiener", "local Wiener")[generator.integers(3)]
    if method == "local Wiener":
        window = 1 + 2 * int(generator.integers(*LOCAL_WINDOW))
        power = (level * 10 ** (generator.uniform(-45, -25) / 20)) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):  # digital silence, which comes out as it is
            output = wiener(noisy, window, power * excess).astype(np.float32)
        return output, {"method": method, "window": window}
    spectrum = to_spectrum(noisy)
    estimate = quiet_spectrum(spectrum)
    estimate = excess * np.maximum(estimate, 1e-5 * np.mean(np.abs(spectrum) ** 2, axis=0))
    floor = 10 ** (generator.uniform(*FLOOR_DB) / 20)
    record: dict = {"method": method, "gain_floor_db": 20 * np.log10(floor)}
    if method == "Wiener":
        smoothing = generator.uniform(0.5, 0.98)
        gains = decision_directed(spectrum, estimate, floor, smoothing)
        record |= {"smoothing": smoothing}
    else:
        over = generator.uniform(1.0, 5.0)
        gains = subtraction(spectrum, estimate, floor, over)
        record |= {"over": over}
    if generator.random() < 0.5:
        gains = uniform_filter(gains, (int(generator.integers(1, 8)), int(generator.integers(1, 12))))
    return to_samples(spectrum * gains, len(noisy)), record


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
