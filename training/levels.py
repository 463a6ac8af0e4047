"""The level of active speech."""

import numpy as np

LEVEL_FRAME = 320  # samples, 20 ms
LEVEL_RANGE_DB = 35.0


def active_level(samples: np.ndarray) -> float:
    """RMS of (n,) samples over the 20 ms blocks within 35 dB of the loud ones; 0.0 for silence.

    A simple substitute for the active speech level of ITU-T P.56: pauses don't lower it.
    """
    count = len(samples) // LEVEL_FRAME
    if count == 0:
        return 0.0
    power = np.mean(
        np.square(samples[: count * LEVEL_FRAME].reshape(count, LEVEL_FRAME), dtype=np.float64), axis=1
    )
    loud = np.percentile(power, 98)
    return float(np.sqrt(np.mean(power[power >= loud * 10 ** (-LEVEL_RANGE_DB / 10)])))
