"""The frequency axis: Bark-spaced bands of the 257 FFT bins, and vocal tract length perturbation."""

import numpy as np

from aqscore.model.features import SPEC

BANDS = 48
BIN_HZ = np.arange(SPEC.bins) * SPEC.sample_rate_hz / SPEC.frame_length
KNEE_HZ = 6_000.0  # above it the warp returns linearly to the top of the band


def bark(hertz: np.ndarray) -> np.ndarray:
    """Critical-band rate in Bark of a frequency in Hz (Traunmüller, J. Acoust. Soc. Am. 88, 1990)."""
    return 26.81 * hertz / (1960.0 + hertz) - 0.53


def band_matrix() -> np.ndarray:
    """(257, 48) float32: triangles that overlap by half, evenly spaced in Bark; each column sums to 1.

    ``magnitudes @ band_matrix()`` is then the weighted mean magnitude of every band.
    """
    bins = bark(BIN_HZ)
    edges = np.linspace(bins[0], bins[-1], BANDS + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - lower) / (centre - lower)
    falling = (upper - bins[:, None]) / (upper - centre)
    triangles = np.maximum(np.minimum(rising, falling), 0.0)
    return (triangles / triangles.sum(axis=0)).astype(np.float32)


def warped(values: np.ndarray, hertz: np.ndarray, factor: float) -> np.ndarray:
    """(T, n) values at (n,) Hz, warped to a vocal tract ``factor`` times as long.

    Every frequency is read at ``factor`` times it, linearly between neighbours, up to a knee; from there to
    the top of the band (vocal tract length perturbation; Jaitly and Hinton 2013, equation 1).
    """
    top = SPEC.sample_rate_hz / 2
    knee = KNEE_HZ * min(factor, 1.0) / factor
    from_hz = np.interp(hertz, [0, knee, top], [0, knee * factor, top])
    place = np.interp(from_hz, hertz, np.arange(len(hertz)))
    left = np.minimum(place.astype(int), len(hertz) - 2)
    share = (place - left).astype(np.float32)
    return values[:, left] * (1 - share) + values[:, left + 1] * share
