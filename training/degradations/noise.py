"""Additive noise at a signal-to-noise ratio."""

from typing import Protocol

import numpy as np

from training.levels import active_level

# Mean PESQ-WB of additive noise of every kind by SNR, measured on this corpus. Its inverse turns uniformly
# drawn scores into SNRs, so that labels cover the scale instead of its lower end alone.
SNR_DB = (-10.0, 0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 52.0)
SCORE = (1.04, 1.10, 1.2, 1.4, 1.75, 2.25, 2.8, 3.3, 3.8, 4.15, 4.4, 4.58)
SNR_SPREAD_DB = 4.0


class Noises(Protocol):
    """A pool of noise, such as training.corpus.noise_pool.NoisePool."""

    def draw(self, generator: np.random.Generator, length: int) -> tuple[np.ndarray, list[str], dict]:
        """(length,) float32 of RMS 1, its kinds, and its augmentation."""
        ...


def snr_for(score: float) -> float:
    """The SNR in dB at which additive noise has that mean PESQ-WB."""
    return float(np.interp(score, SCORE, SNR_DB))


def noise_at(
    samples: np.ndarray, snr_db: float, generator: np.random.Generator, noises: Noises
) -> tuple[np.ndarray, dict]:
    """(n,) samples with noise at an SNR, and the record: active speech level over the noise's RMS, in dB."""
    noise, kinds, augmentation = noises.draw(generator, len(samples))
    noisy = samples + noise * np.float32(active_level(samples) * 10 ** (-snr_db / 20))
    return noisy, {"kind": "noise", "noise_kinds": kinds, "snr_db": snr_db, **augmentation}


def additive_noise(
    samples: np.ndarray, severity: float, generator: np.random.Generator, noises: Noises
) -> tuple[np.ndarray, dict]:
    """(n,) samples with noise, and the record. The mean PESQ-WB falls linearly with the severity."""
    snr_db = snr_for(SCORE[-1] - severity * (SCORE[-1] - SCORE[0])) + generator.normal(0, SNR_SPREAD_DB)
    return noise_at(samples, snr_db, generator, noises)
