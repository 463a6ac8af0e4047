"""Level changes within a recording."""

import numpy as np
from scipy.signal import oaconvolve

from aqscore.model.features import SPEC
from training.levels import active_level

RATE = SPEC.sample_rate_hz


def gain(samples: np.ndarray, severity: float, generator: np.random.Generator) -> tuple[np.ndarray, dict]:
    """(n,) samples with a changing level, and the record.

    Slow pumping, quick tremolo, steps, or dropouts of 20 to 300 ms.
    """
    method = ("pumping", "tremolo", "steps", "dropouts")[generator.integers(4)]
    at = np.arange(len(samples)) / RATE
    depth_db = 2.0 + 38.0 * severity
    if method == "pumping":
        window = round(generator.uniform(0.05, 0.4) * RATE)
        curve = np.clip(moving_level(samples, window), 10 ** (-depth_db / 20), None) ** (-0.9 * severity)
    elif method == "tremolo":
        curve = 10 ** (-depth_db / 40 * (1 - np.cos(2 * np.pi * generator.uniform(1, 15) * at)) / 20)
    elif method == "steps":
        knots = generator.uniform(-depth_db, 0, 2 + int(at[-1] / generator.uniform(0.2, 1.0)))
        curve = 10 ** (knots[np.minimum((at / at[-1] * len(knots)).astype(int), len(knots) - 1)] / 20)
    else:
        curve = np.ones(len(samples))
        for _ in range(1 + generator.poisson(at[-1] * 4 * severity)):
            start = generator.uniform(0, at[-1])
            curve[(at >= start) & (at < start + generator.uniform(0.02, 0.3))] = 0.0
    curve = oaconvolve(np.pad(curve, 40, "edge"), np.full(81, 1 / 81), "valid")
    return (samples * curve).astype(np.float32), {"kind": "gain", "method": method, "depth_db": depth_db}


def moving_level(samples: np.ndarray, window: int) -> np.ndarray:
    """(n,) RMS around each of (n,) samples, relative to active speech; at least 0.001."""
    power = oaconvolve(np.square(samples), np.full(window, 1 / window), "same")
    return np.sqrt(np.maximum(power, (1e-3 * active_level(samples)) ** 2)) / active_level(samples)
