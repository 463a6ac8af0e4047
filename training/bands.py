"""Bark-spaced bands: 257 FFT bins to the 48 of the auxiliary denoising target."""

import numpy as np

from function.features import SPEC

BANDS = 48


def bark(hertz: np.ndarray) -> np.ndarray:
    """Critical-band rate in Bark of a frequency in Hz (Traunmüller, J. Acoust. Soc. Am. 88, 1990)."""
    return 26.81 * hertz / (1960.0 + hertz) - 0.53


def band_matrix() -> np.ndarray:
    """(257, 48) float32: triangles that overlap by half, evenly spaced in Bark; each column sums to 1.

    ``magnitudes @ band_matrix()`` is then the weighted mean magnitude of every band.
    """
    bins = bark(np.arange(SPEC.bins) * SPEC.sample_rate_hz / SPEC.frame_length)
    edges = np.linspace(bins[0], bins[-1], BANDS + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - lower) / (centre - lower)
    falling = (upper - bins[:, None]) / (upper - centre)
    triangles = np.maximum(np.minimum(rising, falling), 0.0)
    return (triangles / triangles.sum(axis=0)).astype(np.float32)
