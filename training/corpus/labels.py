"""A clip's labels: PESQ of the whole, frame scores, speech activity and the denoising target."""

import numpy as np
from pesq import BufferTooShortError, NoUtterancesError, pesq
from scipy.ndimage import binary_dilation

from aqscore.model.features import SPEC, WINDOW, frame_count, frames_of
from aqscore.model.high_pass import high_pass
from training.bands import band_matrix
from training.levels import active_level

PERFECT = 4.643888  # PESQ-WB of a signal with itself: the top of P.862.2's mapping
ACTIVE_RANGE_DB = 38.0  # frames this far below the active level still count as speech
HANGOVER = 3  # frames, 48 ms: word endings fade below the range
CROSSFADE = 80  # samples, 5 ms: short enough to be a sudden change, long enough not to click
_MATRIX = band_matrix()


def speech_activity(reference: np.ndarray) -> np.ndarray:
    """(T,) uint8, 1 where the frame of the clean reference (n,) holds speech; T as of ``frames_of``."""
    count = frame_count(len(reference))
    windows = np.lib.stride_tricks.sliding_window_view(reference, SPEC.frame_length)[:: SPEC.hop][:count]
    rms = np.sqrt(np.mean(np.square(windows, dtype=np.float64), axis=1))
    level = active_level(reference)
    loud = (rms > 0) & (rms >= level * 10 ** (-ACTIVE_RANGE_DB / 20))
    later = np.zeros(2 * HANGOVER + 1, bool)
    later[HANGOVER - 1 :] = True
    return binary_dilation(loud, later).astype(np.uint8)


def pesq_wb(reference: np.ndarray, degraded: np.ndarray) -> float | None:
    """MOS-LQO, 1.04 to 4.64, of ITU-T P.862.2 for two (n,) signals at 16 kHz; None when PESQ has no score.

    PESQ has none without speech. It is not called with digital silence, whose level it would divide by.
    """
    if not (reference.any() and degraded.any()):
        return None
    try:
        return float(pesq(SPEC.sample_rate_hz, reference, degraded, "wb"))
    except (NoUtterancesError, BufferTooShortError):
        return None


def quantise(samples: np.ndarray) -> np.ndarray:
    """(n,) float32 rounded to 16 bits, so that frames equal those of the file."""
    return (np.clip(np.round(samples * 32768.0), -32768, 32767) / 32768.0).astype(np.float32)


def splice(base: np.ndarray, other: np.ndarray, intervals: list[tuple[float, float]]) -> np.ndarray:
    """``base`` (n,) replaced by ``other`` (n,) during the intervals [(start_s, end_s)], with a crossfade."""
    inside = _inside(np.arange(len(base)), intervals).astype(np.float32)
    ramp = np.full(CROSSFADE, 1 / CROSSFADE, np.float32)
    weight = np.convolve(inside, ramp, "same")[: len(base)]
    return base + weight * (other - base)


def of_version[Label: (float, np.ndarray)](
    frames: int, base: Label, other: Label, intervals: list[tuple[float, float]]
) -> np.ndarray:
    """(frames, ...) float32: each frame has the label of the version at its centre."""
    centres = np.arange(frames) * SPEC.hop + SPEC.frame_length // 2
    inside = _inside(centres, intervals).astype(int)
    return np.stack([base, other]).astype(np.float32)[inside]


def band_target(reference: np.ndarray, degraded: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """(T, 48) float16: bands of the clean reference on the scale of the degraded clip's ``frames`` (T, 257).

    The reference gets the gain that explains most of the degraded clip (least squares), and is then divided
    by the level that divided the degraded clip's own frames.
    """
    gain = abs(float(np.dot(degraded, reference))) / max(float(np.dot(reference, reference)), 1e-12)
    clean = frames_of(reference)
    scale = gain * _level(high_pass(reference), clean) / max(_level(high_pass(degraded), frames), 1e-12)
    return (clean * np.float32(scale) @ _MATRIX).astype(np.float16)


def _level(samples: np.ndarray, frames: np.ndarray) -> float:
    """The level by which ``frames_of`` divided: one number, for a clip no longer than the level's reach."""
    loudest = int(np.argmax(frames.sum(axis=1)))
    if not frames[loudest].any():
        return 0.0
    window = samples[loudest * SPEC.hop :][: SPEC.frame_length]
    magnitudes = np.abs(np.fft.rfft(window * WINDOW)) / SPEC.frame_length
    return float(magnitudes.sum() / frames[loudest].sum(dtype=np.float64))


def _inside(at: np.ndarray, intervals: list[tuple[float, float]]) -> np.ndarray:
    inside = np.zeros(len(at), bool)
    for start, end in intervals:
        inside |= (at >= start * SPEC.sample_rate_hz) & (at < end * SPEC.sample_rate_hz)
    return inside
