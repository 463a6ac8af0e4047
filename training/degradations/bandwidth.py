"""Band limits: filters, the telephone band, a lower sample rate, good and bad resamplers."""

import numpy as np
import soxr
from scipy.signal import firwin, oaconvolve

from aqscore.model.features import SPEC

RATE = SPEC.sample_rate_hz
FIR_TAPS = 255
IMAGES_SHARE = 0.45  # of the recordings come from a bad resampler
TELEPHONE_HZ = (300.0, 3400.0)


def bandlimit(
    samples: np.ndarray, severity: float, generator: np.random.Generator
) -> tuple[np.ndarray, dict]:
    """(n,) samples in a narrower band, and the record.

    A low-pass down to 700 Hz, a high-pass up to 1.5 kHz, the telephone band, or a lower sample rate, by a
    good or a bad resampler.
    """
    if generator.random() < IMAGES_SHARE:
        return _badly_resampled(samples, severity, generator)
    method = ("lowpass", "highpass", "bandpass", "telephone", "resampled")[generator.integers(5)]
    low: float | None = None
    high: float | None = None
    if method in ("lowpass", "bandpass", "resampled"):
        high = 7200.0 * (700.0 / 7200.0) ** severity * generator.uniform(0.9, 1.1)
    if method in ("highpass", "bandpass"):
        low = 80.0 * (1500.0 / 80.0) ** severity * generator.uniform(0.9, 1.1)
    if low and high:
        low, high = low / 2, min(2 * high, 7500.0)
    if method == "telephone":
        low, high = TELEPHONE_HZ
        samples = resampled(samples, 8000, "HQ")
    if method == "resampled" and high:
        limited = resampled(samples, max(round(2.2 * high), 2000), "LQ")
    else:
        limited = filtered(samples, low, high)
    return limited, {"kind": "bandlimit", "method": method, "low_hz": low, "high_hz": high}


def _badly_resampled(
    samples: np.ndarray, severity: float, generator: np.random.Generator
) -> tuple[np.ndarray, dict]:
    """Brought up from a lower rate by repetition or linear interpolation, which leave images."""
    rates = (14700, 12000, 11025, 8000, 8000, 8000, 6000)
    rate = rates[min(int(severity * len(rates)), len(rates) - 1)]
    aliased = bool(generator.random() < 0.3)  # brought down without a filter, too
    at = np.arange(0, len(samples), RATE / rate)
    low = np.interp(at, np.arange(len(samples)), samples) if aliased else soxr.resample(samples, RATE, rate)
    steps = np.arange(len(samples)) * (rate / RATE)
    repeated = bool(generator.random() < 0.5)
    output = low[np.minimum(steps.astype(int), len(low) - 1)] if repeated else None
    if output is None:
        output = np.interp(steps, np.arange(len(low)), low)
    record = {"method": "repeated" if repeated else "interpolated", "rate_hz": rate, "aliased": aliased}
    return output.astype(np.float32), {"kind": "bandlimit", **record}


def resampled(samples: np.ndarray, rate: int, quality: str) -> np.ndarray:
    """(n,) samples resampled to ``rate`` Hz and back, with a quality setting of soxr."""
    back = soxr.resample(soxr.resample(samples, RATE, rate, quality), rate, RATE, quality)
    return np.pad(back, (0, max(0, len(samples) - len(back))))[: len(samples)]


def filtered(samples: np.ndarray, low: float | None, high: float | None) -> np.ndarray:
    """(n,) samples between ``low`` and ``high`` Hz (either may be None): linear phase, no delay."""
    edges = [edge for edge in (low, high) if edge is not None]
    passed = firwin(FIR_TAPS, edges, pass_zero=low is None, fs=RATE)
    return oaconvolve(samples, passed, "same").astype(np.float32)
