"""Packet loss and its concealment."""

import numpy as np

from aqscore.model.features import SPEC
from training.degradations.codecs import aligned
from training.degradations.speech_codecs import available

RATE = SPEC.sample_rate_hz
CODEC_SHARE = 0.5  # of the recordings lose packets of a codec, which conceals them
HIGHEST_RATE = 0.45


def packet_loss(
    samples: np.ndarray, severity: float, generator: np.random.Generator
) -> tuple[np.ndarray, dict]:
    """(n,) samples with lost packets of 10 to 60 ms, and the record.

    A two-state Gilbert model loses 0.5 to 45 % of them, alone or in bursts. They are concealed by silence, by
    repeating the last good packet, by repeating it with a decreasing gain, or by a codec's own concealment.
    """
    rate = 0.005 * (HIGHEST_RATE / 0.005) ** severity
    burst = float(generator.choice([1.0, 2.0, 4.0]))
    codecs = available()
    if codecs and generator.random() < CODEC_SHARE:
        name = sorted(codecs)[generator.integers(len(codecs))]
        codec = codecs[name]
        mode = codec.modes[generator.integers((len(codec.modes) + 1) // 2)]
        late = codec.code(samples, mode, lambda count: lost_packets(count, rate, burst, generator))
        record = {"packet_ms": codec.packet * 1000 // codec.rate, "rate": rate, "burst": burst, "mode": mode}
        return aligned(late, samples), {"kind": "packet_loss", "method": name, **record}
    size = int(generator.choice([10, 20, 20, 30, 60])) * RATE // 1000
    concealment = ("zero", "repeat", "fading repeat")[generator.integers(3)]
    losses = lost_packets(-(-len(samples) // size), rate, burst, generator)
    output = samples.copy()
    good, gain = np.zeros(size, np.float32), 1.0
    for index, lost in enumerate(losses):
        packet = output[index * size : (index + 1) * size]
        if not lost:
            good, gain = packet, 1.0
            continue
        gain *= {"zero": 0.0, "repeat": 1.0, "fading repeat": 0.6}[concealment]
        packet[:] = gain * np.resize(good, len(packet))
    record = {"packet_ms": size * 1000 // RATE, "lost": float(np.mean(losses)), "burst": burst}
    return output, {"kind": "packet_loss", "method": concealment, **record}


def lost_packets(count: int, rate: float, burst: float, generator: np.random.Generator) -> np.ndarray:
    """(count,) bool by a Gilbert model: ``rate`` is the share that is lost, ``burst`` their mean run."""
    chances, lost = generator.random(count), np.zeros(count, bool)
    for index in range(count):
        previous = index > 0 and lost[index - 1]
        lost[index] = (
            chances[index] >= 1 / burst if previous else chances[index] < rate / (burst * (1 - rate))
        )
    return lost
