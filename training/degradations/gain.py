"""Level changes within a recording: computed, FFmpeg's, and the gain control of voice applications."""

import numpy as np
from scipy.signal import oaconvolve

from aqscore.model.features import SPEC
from training.degradations import ffmpeg, voice_processing
from training.degradations.codecs import aligned
from training.levels import active_level

RATE = SPEC.sample_rate_hz
REAL_SHARE = 0.65  # of the recordings go through a program's gain control


def gain(samples: np.ndarray, severity: float, generator: np.random.Generator) -> tuple[np.ndarray, dict]:
    """(n,) samples with a changing level, and the record.

    Slow pumping, quick tremolo, steps, dropouts of 20 to 300 ms, or a program's automatic gain control.
    """
    if generator.random() < REAL_SHARE:
        return _controlled(samples, severity, generator)
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


def _controlled(
    samples: np.ndarray, severity: float, generator: np.random.Generator
) -> tuple[np.ndarray, dict]:
    """(n,) samples through a program's gain control or compressor; and the record."""
    level = active_level(samples)
    controls = voice_processing.gain_controls()
    names = ("dynaudnorm", "speechnorm", "acompressor", "agate", "alimiter", *sorted(controls))
    name = names[generator.integers(len(names))]
    record = {"kind": "gain", "method": name}
    threshold = level * 10 ** ((6 - 26 * severity + generator.uniform(-4, 4)) / 20)
    match name:
        case "dynaudnorm":
            options = (
                f"f={generator.integers(10, 500)}:g={3 + 2 * generator.integers(8)}:m={2 + 40 * severity}"
            )
        case "speechnorm":
            options = f"e={2 + 30 * severity:.1f}:r={10 ** generator.uniform(-4, -1.5):.5f}"
        case "acompressor":
            attack, release = generator.uniform(0.5, 30), generator.uniform(20, 400)
            ratio = 2 + 14 * severity
            options = f"threshold={np.clip(threshold, 1e-3, 1):.5f}:ratio={ratio:.1f}"
            options += f":attack={attack:.1f}:release={release:.1f}"
        case "agate":
            gate = np.clip(level * 10 ** ((-30 + 34 * severity) / 20), 1e-4, 1)
            options = f"threshold={gate:.5f}:ratio={generator.uniform(2, 9):.1f}"
            options += f":release={generator.uniform(10, 300):.0f}"
        case "alimiter":
            options = f"limit={np.clip(threshold, 0.0625, 1):.4f}:level=false"
        case _:
            return aligned(controls[name](samples, generator), samples), record
    return aligned(ffmpeg.filtered(samples, name, options), samples), record


def moving_level(samples: np.ndarray, window: int) -> np.ndarray:
    """(n,) RMS around each of (n,) samples, relative to active speech; at least 0.001."""
    power = oaconvolve(np.square(samples), np.full(window, 1 / window), "same")
    return np.sqrt(np.maximum(power, (1e-3 * active_level(samples)) ** 2)) / active_level(samples)
