"""The level of active speech."""

import numpy as np

LEVEL_FRAME = 320  # samples, 20 ms
LEVEL_RANGE_DB = 35.0
USUAL_DBFS = -26.0  # of active speech (ITU-T P.800)


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


def at_level(samples: np.ndarray, dbfs: float = USUAL_DBFS) -> np.ndarray:
    """(n,) samples with active speech at a level; samples beyond full scale are clipped to it."""
    gain = 10 ** (dbfs / 20) / max(active_level(samples), 1e-6)
    return np.clip(samples * np.float32(gain), -1.0, 1.0)
