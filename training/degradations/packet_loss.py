"""Packet loss and its concealment."""

import numpy as np

from aqscore.model.features import SPEC

RATE = SPEC.sample_rate_hz


def packet_loss(
    samples: np.ndarray, severity: float, generator: np.random.Generator
) -> tuple[np.ndarray, dict]:
    """(n,) samples with lost packets of 10 to 60 ms, and the record.

    A two-state Gilbert model loses 1 to 45 % of them, alone or in bursts. They are concealed by silence, by
    repeating the last good packet, or by repeating it with a decreasing gain.
    """
    size = int(generator.choice([10, 20, 20, 30, 60])) * RATE // 1000
    rate = 0.01 * 45.0**severity
    burst = generator.choice([1.0, 2.0, 4.0])
    concealment = ("zero", "repeat", "fading repeat")[generator.integers(3)]
    chances = generator.random(-(-len(samples) // size))
    output = samples.copy()
    lost, count, good = False, 0, np.zeros(size, np.float32)
    gain = 1.0
    for index, chance in enumerate(chances):
        lost = chance >= 1 / burst if lost else chance < rate / (burst * (1 - rate))
        packet = output[index * size : (index + 1) * size]
        if not lost:
            good, gain = packet, 1.0
            continue
        count += 1
        gain *= {"zero": 0.0, "repeat": 1.0, "fading repeat": 0.6}[concealment]
        packet[:] = gain * np.resize(good, len(packet))
    record = {"packet_ms": size * 1000 // RATE, "lost": count / len(chances), "burst": float(burst)}
    return output, {"kind": "packet_loss", "method": concealment, **record}
