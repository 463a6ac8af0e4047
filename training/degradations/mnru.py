"""Speech-correlated noise, as of quantising codecs."""

import numpy as np


def mnru(samples: np.ndarray, severity: float, generator: np.random.Generator) -> tuple[np.ndarray, dict]:
    """(n,) samples with speech-correlated noise, and the record; Q from 45 to 0 dB.

    y = x (1 + 10^(-Q/20) N), N of variance 1: the Modulated Noise Reference Unit (ITU-T P.810).
    """
    q_db = 45.0 * (1.0 - severity)
    noise = generator.standard_normal(len(samples))
    output = samples * (1.0 + 10 ** (-q_db / 20) * noise)
    return output.astype(np.float32), {"kind": "mnru", "q_db": q_db}
