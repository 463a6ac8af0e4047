"""Coarse quantisation, with and without dither."""

import numpy as np


def quantisation(
    samples: np.ndarray, severity: float, generator: np.random.Generator
) -> tuple[np.ndarray, dict]:
    """(n,) samples with 11 down to 4.5 bits, half the time with dither; and the record.

    The bits are those of a signal that peaks at full scale.
    """
    bits = 11.0 - 6.5 * severity
    step = 2 * float(np.max(np.abs(samples))) / 2**bits
    dither = bool(generator.random() < 0.5)
    shifted = samples + (generator.uniform(-0.5, 0.5, len(samples)) * step if dither else 0.0)
    return (np.round(shifted / step) * step).astype(np.float32), {
        "kind": "quantisation",
        "bits": bits,
        "dither": dither,
    }
