"""Removes the noise floor of a recording, and sets its level."""

import numpy as np

from aqscore.model.features import SPEC
from training.levels import LEVEL_FRAME, active_level
from training.spectra import HOP, decision_directed, quiet_spectrum, to_samples, to_spectrum

RATE = SPEC.sample_rate_hz
LEVEL_DBFS = -26.0  # active level of every prepared reference, the usual level of ITU-T test material
GATE_DB = 40.0  # below the active level, after noise reduction: the threshold of a pause
GATE_HOLD_S = 0.1
PAUSE_GAIN = 10 ** (-40 / 20)
WORDS_FLOOR_DB = -35.0  # a lower floor is masked by the words, and only the pauses are cleaned


def clean(recorded: np.ndarray, words: bool) -> np.ndarray:
    """Removes the noise floor of (n,) samples: an expander in the pauses, Wiener gains in ``words`` too.

    Noise reduction leaves artefacts in the words, so it is for references with an audible floor only.
    """
    spectrum = to_spectrum(recorded)
    reduced = to_samples(
        spectrum * decision_directed(spectrum, quiet_spectrum(spectrum), floor=0.06), len(recorded)
    )
    power = np.convolve(np.square(reduced), np.full(LEVEL_FRAME, 1 / LEVEL_FRAME), "same")[::HOP]
    loud = power >= active_level(reduced) ** 2 * 10 ** (-GATE_DB / 10)
    hold = np.ones(2 * round(GATE_HOLD_S * RATE / HOP) + 1)
    gain = np.where(np.convolve(loud, hold, "same") > 0, 1.0, PAUSE_GAIN)
    gain = 10 ** np.convolve(np.pad(np.log10(gain), 2, "edge"), np.full(5, 0.2), "valid")
    kept = reduced if words else recorded
    return (kept * np.interp(np.arange(len(kept)), np.arange(len(gain)) * HOP, gain)).astype(np.float32)


def levelled(samples: np.ndarray) -> np.ndarray:
    """(n,) samples at ``LEVEL_DBFS``, or as near to it as full scale allows."""
    samples = samples * (10 ** (LEVEL_DBFS / 20) / active_level(samples))
    return samples * min(1.0, 0.99 / np.max(np.abs(samples)))


def floor_db(samples: np.ndarray) -> float:
    """Mean level of the quietest tenth of the 20 ms blocks, in dB to active speech; at least -120."""
    level = active_level(samples)
    power = np.sort(block_powers(samples))
    quiet = np.mean(power[: max(1, len(power) // 10)])
    return float(max(-120.0, 10 * np.log10((quiet + 1e-20) / (level**2 + 1e-20))))


def block_powers(samples: np.ndarray) -> np.ndarray:
    """Mean square of each 20 ms block of (n,) samples."""
    count = len(samples) // LEVEL_FRAME
    return np.mean(
        np.square(samples[: count * LEVEL_FRAME].reshape(count, LEVEL_FRAME), dtype=np.float64), axis=1
    )
