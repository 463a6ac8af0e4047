"""Reverberation, by recorded room impulse responses or by decaying noise."""

import numpy as np
from scipy.signal import oaconvolve

from aqscore.model.features import SPEC

RATE = SPEC.sample_rate_hz
ROOM_SHARE = 0.75  # where there are room responses; the rest is decaying noise
DIRECT_S = 0.0025  # the direct sound lasts this long after its arrival
Room = tuple[str, np.ndarray]  # name and impulse response, which begins with its direct sound


def reverb(
    samples: np.ndarray, severity: float, generator: np.random.Generator, rooms: tuple[Room, ...] = ()
) -> tuple[np.ndarray, dict]:
    """(n,) samples in one of the ``rooms`` or, half the time, in decaying noise; and the record.

    Half of the responses of ``rooms`` stay as they were measured. For the others ``severity``, 0 to 1, sets
    the direct-to-reverberant ratio: 24 dB down to -6 dB.
    """
    ratio_db = 24.0 - 30.0 * severity**1.3 + generator.normal(0, 2)
    if rooms and generator.random() < ROOM_SHARE:
        name, response = rooms[generator.integers(len(rooms))]
        record: dict = {"method": name}
        if generator.random() < 0.5:
            output = oaconvolve(samples, response)[: len(samples)]
            return output.astype(np.float32), {"kind": "reverb", **record}
    else:
        decay_s = generator.uniform(0.15, 0.3 + 0.9 * severity)
        response = decaying_response(decay_s, generator)
        record = {"method": "decaying noise", "rt60_s": decay_s}
    output = apply_room(samples, response, ratio_db, round(DIRECT_S * RATE))
    return output.astype(np.float32), {"kind": "reverb", "direct_ratio_db": ratio_db, **record}


def apply_room(samples: np.ndarray, response: np.ndarray, ratio_db: float, early: int) -> np.ndarray:
    """(n,) samples convolved with a response whose part after ``early`` samples has a direct ratio in dB."""
    late = np.array(response, np.float64)
    late[:early] = 0.0
    direct = float(np.sum(np.square(response[:early], dtype=np.float64)))
    late *= np.sqrt(direct / max(float(np.sum(late**2)), 1e-12)) * 10 ** (-ratio_db / 20)
    late[:early] = response[:early]
    return oaconvolve(samples, late)[: len(samples)] / max(abs(float(response[0])), 1e-3)


def decaying_response(decay_s: float, generator: np.random.Generator) -> np.ndarray:
    """A response whose energy falls by 60 dB in ``decay_s``: a direct sound of 1, a gap, decaying noise.

    The upper half of the band decays up to three times as fast, as in furnished rooms.
    """
    length = round(1.1 * decay_s * RATE)
    noise = generator.standard_normal(length + 1)
    low, high = (noise[1:] + noise[:-1]) / 2, (noise[1:] - noise[:-1]) / 2
    falls = -3.0 * np.arange(length) / (decay_s * RATE)
    response = low * 10**falls + high * 10 ** (falls * generator.uniform(1.0, 3.0))
    response[: round(generator.uniform(0.002, 0.02) * RATE)] = 0.0
    response[0] = 1.0
    return response


def room_response(samples: np.ndarray) -> np.ndarray:
    """A recorded response from its direct sound on, which becomes 1: convolution adds no delay."""
    start = int(np.argmax(np.abs(samples)))
    return samples[start:] / samples[start]


def resized(response: np.ndarray, size: float) -> np.ndarray:
    """The response of a room ``size`` times as large: every echo arrives that much later."""
    at = np.arange(0, len(response) - 1, 1 / size)
    return np.interp(at, np.arange(len(response)), response).astype(np.float32)
