"""What can befall clean speech, each at a severity from 0 (hardly heard) to 1 (ruined).

All have one shape: ``(samples (n,) float32, severity, generator) -> (samples (n,) float32, record)``. They
stay aligned with what went in; the record says their kind and parameters. Codecs are in codecs.py, noise in
mixtures.py.
"""

import numpy as np
import soxr
from scipy.signal import firwin, oaconvolve

from aqscore.model.features import SPEC
from training.corpus.labels import active_level
from training.spectra import decision_directed, quiet_spectrum, subtraction, to_samples, to_spectrum

RATE = SPEC.sample_rate_hz
FIR_TAPS = 255
TELEPHONE_HZ = (300.0, 3400.0)
DIRECT_S = 0.0025  # after the first arrival: what counts as the direct sound


def reverb(samples: np.ndarray, severity: float, generator: np.random.Generator, rooms: tuple = ()) -> tuple:
    """A room: one of ``rooms`` (name, response) or, half the time, exponentially decaying noise.

    ``severity`` sets the direct-to-reverberant ratio: 24 dB down to -6 dB.
    """
    ratio_db = 24.0 - 30.0 * severity**1.3 + generator.normal(0, 2)
    if rooms and generator.random() < 0.5:
        name, response = rooms[generator.integers(len(rooms))]
        record = {"method": name}
    else:
        decay_s = generator.uniform(0.15, 0.3 + 0.9 * severity)
        response = decaying_room(decay_s, generator)
        record = {"method": "decaying noise", "rt60_s": decay_s}
    heard = in_room(samples, response, ratio_db, round(DIRECT_S * RATE))
    return heard.astype(np.float32), {"kind": "reverb", "direct_ratio_db": ratio_db, **record}


def in_room(samples: np.ndarray, response: np.ndarray, ratio_db: float, early: int) -> np.ndarray:
    """(n,) samples through a room whose sound after ``early`` samples is brought to a direct ratio in dB."""
    late = np.array(response, np.float64)
    late[:early] = 0.0
    direct = float(np.sum(np.square(response[:early], dtype=np.float64)))
    late *= np.sqrt(direct / max(float(np.sum(late**2)), 1e-12)) * 10 ** (-ratio_db / 20)
    late[:early] = response[:early]
    return oaconvolve(samples, late)[: len(samples)] / max(abs(float(response[0])), 1e-3)


def decaying_room(decay_s: float, generator: np.random.Generator) -> np.ndarray:
    """A response whose energy falls by 60 dB in ``decay_s``: a direct sound of 1, a gap, decaying noise.

    The upper half of the band decays up to three times as fast, as air and curtains have it.
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
    """A recorded response from its direct sound on, so that it delays nothing; the direct sound is 1."""
    start = int(np.argmax(np.abs(samples)))
    return samples[start:] / samples[start]


def resized(response: np.ndarray, size: float) -> np.ndarray:
    """A response as of a room ``size`` times as large: every echo comes that much later."""
    at = np.arange(0, len(response) - 1, 1 / size)
    return np.interp(at, np.arange(len(response)), response).astype(np.float32)


def clipping(samples: np.ndarray, severity: float, generator: np.random.Generator) -> tuple:
    """Peaks cut at a level, hard or softly (tanh): 12 dB above the active level down to 15 dB below it."""
    above_db = 12.0 - 27.0 * severity**1.8
    limit = active_level(samples) * 10 ** (above_db / 20)
    soft = bool(generator.random() < 0.3)
    heard = limit * np.tanh(samples / limit) if soft else np.clip(samples, -limit, limit)
    return heard.astype(np.float32), {
        "kind": "clipping",
        "method": "soft" if soft else "hard",
        "above_active_db": above_db,
    }


def bandlimit(samples: np.ndarray, severity: float, generator: np.random.Generator) -> tuple:
    """Low-pass down to 700 Hz, high-pass up to 1.5 kHz, a telephone's band, or a lower sample rate."""
    method = ("lowpass", "highpass", "bandpass", "telephone", "resampled")[generator.integers(5)]
    low = high = None
    if method in ("lowpass", "bandpass", "resampled"):
        high = 7200.0 * (700.0 / 7200.0) ** severity * generator.uniform(0.9, 1.1)
    if method in ("highpass", "bandpass"):
        low = 80.0 * (1500.0 / 80.0) ** severity * generator.uniform(0.9, 1.1)
    if method == "bandpass":
        low, high = low / 2, min(2 * high, 7500.0)
    if method == "telephone":
        low, high = TELEPHONE_HZ
        samples = resampled(samples, 8000, "HQ")
    if method == "resampled":
        heard = resampled(samples, max(round(2.2 * high), 2000), "LQ")
    else:
        heard = filtered(samples, low, high)
    return heard, {"kind": "bandlimit", "method": method, "low_hz": low, "high_hz": high}


def resampled(samples: np.ndarray, rate: int, quality: str) -> np.ndarray:
    """There and back by way of ``rate`` Hz, with soxr's quality; as long as what went in."""
    back = soxr.resample(soxr.resample(samples, RATE, rate, quality), rate, RATE, quality)
    return np.pad(back, (0, max(0, len(samples) - len(back))))[: len(samples)]


def filtered(samples: np.ndarray, low: float | None, high: float | None) -> np.ndarray:
    """Linear-phase band limits at ``low`` and ``high`` Hz (either may be None), without delay."""
    edges = [edge for edge in (low, high) if edge is not None]
    passed = firwin(FIR_TAPS, edges, pass_zero=low is None, fs=RATE)
    return oaconvolve(samples, passed, "same").astype(np.float32)


def packet_loss(samples: np.ndarray, severity: float, generator: np.random.Generator) -> tuple:
    """Lost packets of 10 to 60 ms, alone or in bursts (two-state Gilbert model): 1 to 45 % of them.

    Concealed by silence, by repeating the last good packet, or by repeating it ever more quietly.
    """
    size = int(generator.choice([10, 20, 20, 30, 60])) * RATE // 1000
    rate = 0.01 * 45.0**severity
    burst = generator.choice([1.0, 2.0, 4.0])
    concealment = ("zero", "repeat", "fading repeat")[generator.integers(3)]
    chances = generator.random(-(-len(samples) // size))
    heard = samples.copy()
    lost, count, good = False, 0, np.zeros(size, np.float32)
    gain = 1.0
    for index, chance in enumerate(chances):
        lost = chance >= 1 / burst if lost else chance < rate / (burst * (1 - rate))
        packet = heard[index * size : (index + 1) * size]
        if not lost:
            good, gain = packet, 1.0
            continue
        count += 1
        gain *= {"zero": 0.0, "repeat": 1.0, "fading repeat": 0.6}[concealment]
        packet[:] = gain * np.resize(good, len(packet))
    record = {"packet_ms": size * 1000 // RATE, "lost": count / len(chances), "burst": float(burst)}
    return heard, {"kind": "packet_loss", "method": concealment, **record}


def mnru(samples: np.ndarray, severity: float, generator: np.random.Generator) -> tuple:
    """Speech-correlated noise: y = x (1 + 10^(-Q/20) N), N of variance 1 (ITU-T P.810); Q from 45 to 0 dB."""
    q_db = 45.0 * (1.0 - severity)
    noise = generator.standard_normal(len(samples))
    heard = samples * (1.0 + 10 ** (-q_db / 20) * noise)
    return heard.astype(np.float32), {"kind": "mnru", "q_db": q_db}


def suppression(
    samples: np.ndarray, severity: float, generator: np.random.Generator, noise: np.ndarray | None = None
) -> tuple:
    """Noise reduction and its musical noise, of speech at 45 to 0 dB SNR.

    ``noise`` is (n,) of RMS 1, white when None.
    """
    snr_db = 45.0 * (1.0 - severity)
    if noise is None:
        noise = generator.standard_normal(len(samples)).astype(np.float32)
    spectrum = to_spectrum(samples + noise * np.float32(active_level(samples) * 10 ** (-snr_db / 20)))
    floor = 10 ** (generator.uniform(-35, -10) / 20)
    record = {"snr_db": snr_db, "gain_floor_db": 20 * np.log10(floor)}
    if generator.random() < 0.5:
        over = generator.uniform(1.0, 5.0)
        gains = subtraction(spectrum, quiet_spectrum(spectrum), floor, over)
        record |= {"method": "spectral subtraction", "over": over}
    else:
        smoothing = generator.uniform(0.5, 0.98)
        gains = decision_directed(spectrum, quiet_spectrum(spectrum), floor, smoothing)
        record |= {"method": "Wiener", "smoothing": smoothing}
    return to_samples(spectrum * gains, len(samples)), {"kind": "suppression", **record}


def gain(samples: np.ndarray, severity: float, generator: np.random.Generator) -> tuple:
    """A level that will not stay: slow pumping, quick tremolo, steps, or dropouts of 20 to 300 ms."""
    method = ("pumping", "tremolo", "steps", "dropouts")[generator.integers(4)]
    at = np.arange(len(samples)) / RATE
    depth_db = 2.0 + 38.0 * severity
    if method == "pumping":
        window = round(generator.uniform(0.05, 0.4) * RATE)
        curve = np.clip(moving_level(samples, window), 10 ** (-depth_db / 20), None) ** (-0.9 * severity)
    elif method == "tremolo":
        curve = 10 ** (-depth_db / 40 * (1 - np.cos(2 * np.pi * generator.uniform(1, 15) * at)) / 20)
    elif method == "steps":
        knots = generator.uniform(-depth_db, 0, 2 + int(at[-1] / generator.uniform(0.2, 1.0)))
        curve = 10 ** (knots[np.minimum((at / at[-1] * len(knots)).astype(int), len(knots) - 1)] / 20)
    else:
        curve = np.ones(len(samples))
        for _ in range(1 + generator.poisson(at[-1] * 4 * severity)):
            start = generator.uniform(0, at[-1])
            curve[(at >= start) & (at < start + generator.uniform(0.02, 0.3))] = 0.0
    curve = oaconvolve(np.pad(curve, 40, "edge"), np.full(81, 1 / 81), "valid")
    return (samples * curve).astype(np.float32), {"kind": "gain", "method": method, "depth_db": depth_db}


def moving_level(samples: np.ndarray, window: int) -> np.ndarray:
    """(n,) RMS around each of (n,) samples, relative to active speech; at least 0.001."""
    power = oaconvolve(np.square(samples), np.full(window, 1 / window), "same")
    return np.sqrt(np.maximum(power, (1e-3 * active_level(samples)) ** 2)) / active_level(samples)


def quantisation(samples: np.ndarray, severity: float, generator: np.random.Generator) -> tuple:
    """Too few bits: 11 down to 4.5 of a signal that peaks at full scale; half the time with dither."""
    bits = 11.0 - 6.5 * severity
    step = 2 * float(np.max(np.abs(samples))) / 2**bits
    dither = bool(generator.random() < 0.5)
    shifted = samples + (generator.uniform(-0.5, 0.5, len(samples)) * step if dither else 0.0)
    return (np.round(shifted / step) * step).astype(np.float32), {
        "kind": "quantisation",
        "bits": bits,
        "dither": dither,
    }
