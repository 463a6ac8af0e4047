"""Clipping of the peaks, hard or soft."""

import numpy as np

from training.levels import active_level


def clipping(samples: np.ndarray, severity: float, generator: np.random.Generator) -> tuple[np.ndarray, dict]:
    """(n,) samples clipped hard or softly (tanh), and the record.

    ``severity``, 0 to 1, sets the limit: 12 dB above the active level down to 15 dB below it.
    """
    above_db = 12.0 - 27.0 * severity**1.8
    limit = active_level(samples) * 10 ** (above_db / 20)
    soft = bool(generator.random() < 0.3)
    clipped = limit * np.tanh(samples / limit) if soft else np.clip(samples, -limit, limit)
    return clipped.astype(np.float32), {
        "kind": "clipping",
        "method": "soft" if soft else "hard",
        "above_active_db": above_db,
    }
