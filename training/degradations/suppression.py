"""Noise suppression with its artefacts."""

import numpy as np

from training.degradations.noise import Noises
from training.levels import active_level
from training.spectra import decision_directed, quiet_spectrum, subtraction, to_samples, to_spectrum


def suppression(
    samples: np.ndarray, severity: float, generator: np.random.Generator, noise: np.ndarray | None = None
) -> tuple[np.ndarray, dict]:
    """(n,) samples after noise suppression at 45 to 0 dB SNR, with its musical noise; and the record.

    ``noise`` is (n,) of RMS 1, white when None.
    """
    snr_db = 45.0 * (1.0 - severity)
    if noise is None:
        noise = generator.standard_normal(len(samples)).astype(np.float32)
    spectrum = to_spectrum(samples + noise * np.float32(active_level(samples) * 10 ** (-snr_db / 20)))
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


def noisy_suppression(
    samples: np.ndarray, severity: float, generator: np.random.Generator, noises: Noises
) -> tuple[np.ndarray, dict]:
    """(n,) samples after suppression of noise from the pool, and the record."""
    noise, kinds, _ = noises.draw(generator, len(samples))
    output, record = suppression(samples, severity, generator, noise)
    return output, record | {"noise_kinds": kinds}
