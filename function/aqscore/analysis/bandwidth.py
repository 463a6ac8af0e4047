"""The bandwidth of speech, frame by frame, and the images of resamplers that don't filter."""

import numpy as np
from numpy.typing import NDArray

from aqscore.model.features import SPEC

HALF = SPEC.frame_length // 2  # samples, 16 ms
BINS = HALF // 2 + 1
BAND_BINS = 4  # 250 Hz
BANDS = (BINS - 1) // BAND_BINS
BAND_HZ = BAND_BINS * SPEC.sample_rate_hz / HALF
# Hann, not the features' Hamming window, whose side lobes never fall below -50 dB of a broad spectrum.
WINDOW = np.hanning(HALF + 1)[:-1].astype(np.float32)
MIN_SPEECH_FRAMES = 8  # half a second; with less speech all frames count
LOWEST_DB, HIGHEST_DB = -200, 200  # of the histograms of levels, 1 dB apart
LOUD_PERCENTILE, QUIET_PERCENTILE = 95.0, 10.0
EDGE_DB = 55.0  # a band whose loud frames lie so far below those of the loudest band holds no speech
# Noise is as loud in vowels as in fricatives, so it varies little from frame to frame (chi-square with 8
# degrees of freedom: 7 dB between the percentiles). Speech varies by 20 dB and more.
MIN_VARIATION_DB = 9.0
NOISE_DB = 44.0  # below the loudest band: steady sound above that level may cover speech
NEIGHBOURS = 3  # bands in a row: a whistle is not bandwidth

# The images of 8 kHz speech mirror its spectrum at 4 kHz.
MIRROR_BIN = HALF * 4_000 // SPEC.sample_rate_hz
MIRRORED = np.arange(4, 33)  # bins on either side of it: 250 Hz to 2 kHz away
MAX_DEVIATION_SHARE = 0.8  # of the variation of the origins: a steady tone has neither
MAX_DEVIATION_DB = 5.5  # of the level of images over their origins; 7.9 dB for independent noise


def half_spectra(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 512) samples at 16 kHz -> (n, 2, 129): the power spectra of both halves of each frame."""
    spectra = np.fft.rfft(frames.reshape(-1, 2, HALF) * WINDOW, axis=2)
    powers: NDArray[np.float32] = spectra.real**2 + spectra.imag**2
    return powers


class Bandwidth:
    """Gathers spectra of frames. Memory doesn't grow with their number."""

    def __init__(self) -> None:
        self._counts = np.zeros((2, BANDS, HIGHEST_DB - LOWEST_DB), np.int64)  # in pauses, in speech
        # Sums of weights, of levels below 4 kHz in dB, their squares, of ratios in dB, and their squares.
        self._mirror = np.zeros((5, len(MIRRORED)))

    def add(self, spectra: NDArray[np.float32], speech: NDArray[np.bool_]) -> None:
        """Takes (n, 2, 129) spectra as of ``half_spectra``, and whether each frame is of speech."""
        # A click is in one half only, so the weaker one counts.
        bands = np.add.reduce([spectra[..., first:-1:BAND_BINS] for first in range(BAND_BINS)])
        powers = bands.min(axis=1)
        for counts, chosen in zip(self._counts, (~speech, speech), strict=True):
            decibels = 10 * np.log10(np.maximum(powers[chosen], 10 ** (LOWEST_DB / 10)))
            bins = np.clip(np.floor(decibels - LOWEST_DB), 0, counts.shape[1] - 1).astype(int)
            flat = (bins + np.arange(BANDS) * counts.shape[1]).ravel()
            counts += np.bincount(flat, minlength=counts.size).reshape(counts.shape)
        halves = spectra[speech].reshape(-1, BINS)
        low, high = halves[:, MIRROR_BIN - MIRRORED], halves[:, MIRROR_BIN + MIRRORED]
        known = (low > 0) & (high > 0)
        weights = np.sqrt(low * known)
        ratios = 10 * np.log10(np.where(known, high, 1) / np.where(known, low, 1))
        levels = 10 * np.log10(np.where(known, low, 1))
        sums = [weights, weights * levels, weights * levels**2, weights * ratios, weights * ratios**2]
        self._mirror += np.stack(sums).sum(axis=1)

    @property
    def hz(self) -> int | None:
        """The upper end of the spectrum of speech in Hz, in steps of 250; None without sound."""
        counts = self._counts[1]
        if counts[0].sum() < MIN_SPEECH_FRAMES:
            counts = self._counts.sum(axis=0)
        if not counts[0].any():
            return None
        loud, quiet = (_percentiles(counts, q) for q in (LOUD_PERCENTILE, QUIET_PERCENTILE))
        occupied = (loud >= loud.max() - EDGE_DB) & (
            (loud - quiet >= MIN_VARIATION_DB) | (quiet >= loud.max() - NOISE_DB)
        )
        runs = np.convolve(occupied, np.ones(NEIGHBOURS), "full")[:BANDS] >= NEIGHBOURS
        highest = runs if runs.any() else occupied
        found = round((int(np.flatnonzero(highest)[-1]) + 1) * BAND_HZ)
        return min(found, 4_000) if self.has_images else found

    @property
    def has_images(self) -> bool:
        """Whether what lies above 4 kHz mirrors what lies below: 8 kHz speech with repeated samples."""
        if not self._mirror[0].all():
            return False
        sums = self._mirror[1:] / self._mirror[0]
        variation, deviation = np.median(np.sqrt(np.maximum(sums[1::2] - sums[::2] ** 2, 0.0)), axis=1)
        return bool(deviation < min(MAX_DEVIATION_DB, MAX_DEVIATION_SHARE * variation))


def _percentiles(counts: NDArray[np.int64], percent: float) -> NDArray[np.float64]:
    """(bands, levels) counts -> (bands,) dB: the level below which that share of the frames lies."""
    sums = np.cumsum(counts, axis=1)
    levels = np.argmax(sums >= percent / 100 * sums[:, -1:], axis=1)
    return levels.astype(np.float64) + (LOWEST_DB + 0.5)
