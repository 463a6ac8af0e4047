"""Signal statistics: level, silence, speech share, SNR and bandwidth of a recording."""

import numpy as np
from numpy.typing import NDArray

from aqscore.model.features import SPEC

SILENCE_DBFS = -70.0
BAND_EDGE_DB = -60.0  # of the long-term spectrum's peak: the bandwidth ends there
MIN_SNR_FRAMES = 15  # a quarter of a second of speech, and as much of pauses, for an SNR
CLEAREST_FRAMES = round(0.6 / SPEC.hop_s)  # a word or two; clicks and cries that resemble speech are shorter
GUARD_FRAMES = 3  # between speech and a pause: onsets and reverberation of speech are not noise

CHUNK_HOPS = 8  # one spectrum in so many hops is enough for a long-term spectrum
# Hann, not the features' Hamming window, whose side lobes never fall below -50 dB of a broad spectrum.
WINDOW = np.hanning(SPEC.frame_length + 1)[:-1].astype(np.float32)


def clearest_speech(speech: NDArray[np.float32]) -> float:
    """The highest mean of (n,) speech probabilities over any 0.6 s, or over all if there are fewer."""
    width = min(len(speech), CLEAREST_FRAMES)
    return float(np.lib.stride_tricks.sliding_window_view(speech, width).mean(axis=1).max())


class SignalStatistics:
    """Measures a recording block by block. Memory doesn't grow with its length."""

    def __init__(self, speech_probability: float) -> None:
        """Frames with at least ``speech_probability`` count as speech."""
        self._speech_probability = speech_probability
        self._tail = np.empty(0, np.float32)
        self._samples = 0
        self._energy = 0.0
        self._hops = 0
        self._silent_hops = 0
        self._spectrum = np.zeros(SPEC.bins)
        self._all_frames = 0
        self._speech_frames = 0
        self._frames = np.zeros(2, np.int64)  # in pauses, in speech
        self._powers = np.zeros(2)  # sums over these frames
        self._last_speech = np.empty(0, np.float32)
        self._clearest_speech = 0.0

    def add_samples(self, samples: NDArray[np.float32]) -> None:
        """Takes (n,) float32 at 16 kHz, full scale 1.0."""
        self._samples += len(samples)
        self._energy += float(np.dot(samples, samples))
        samples = np.concatenate([self._tail, samples])
        size = CHUNK_HOPS * SPEC.hop
        chunks = samples[: len(samples) // size * size].reshape(-1, size)
        self._tail = samples[chunks.size :]
        hops = chunks.reshape(-1, SPEC.hop)
        power = np.einsum("ij,ij->i", hops, hops) / SPEC.hop
        self._hops += len(hops)
        self._silent_hops += int(np.count_nonzero(power < 10 ** (SILENCE_DBFS / 10)))
        spectra = np.fft.rfft(chunks[:, : SPEC.frame_length] * WINDOW, axis=1)
        self._spectrum += (spectra.real**2 + spectra.imag**2).sum(axis=0)

    def add_frames(self, frames: NDArray[np.float32], speech: NDArray[np.float32]) -> None:
        """Takes (n, 257) frames, n from 1, and their (n,) speech probabilities."""
        spoken = speech >= self._speech_probability
        recent = np.concatenate([self._last_speech, speech])
        clearest = clearest_speech(recent)
        # The mean of less than 0.6 s counts only until so much is known.
        whole = self._all_frames >= CLEAREST_FRAMES
        self._clearest_speech = max(self._clearest_speech, clearest) if whole else clearest
        self._last_speech = recent[-(CLEAREST_FRAMES - 1) :]
        near_speech = np.convolve(spoken, np.ones(2 * GUARD_FRAMES + 1), "same")[: len(spoken)] > 0
        power = np.einsum("ij,ij->i", frames, frames)
        self._all_frames += len(spoken)
        self._speech_frames += int(np.count_nonzero(spoken))
        for row, chosen in enumerate((~near_speech, spoken)):
            self._frames[row] += np.count_nonzero(chosen)
            self._powers[row] += power[chosen].sum(dtype=np.float64)

    @property
    def level_dbfs(self) -> float | None:
        """RMS level of all samples in dB relative to full scale; None for digital silence."""
        return float(10 * np.log10(self._energy / self._samples)) if self._energy > 0 else None

    @property
    def silent_share(self) -> float:
        """Share of the time below -70 dBFS, 0 to 1."""
        return self._silent_hops / self._hops if self._hops else float(self._energy == 0)

    @property
    def speech_share(self) -> float:
        """Share of the frames that are speech, 0 to 1."""
        return self._speech_frames / self._all_frames if self._all_frames else 0.0

    @property
    def clearest_speech(self) -> float:
        """The highest mean speech probability over any 0.6 s, 0 to 1."""
        return self._clearest_speech

    @property
    def snr_db(self) -> float | None:
        """Signal-to-noise ratio in dB: 10 log10((S - N) / N).

        S and N are the mean powers of speech frames and of pause frames. None without enough of both, or
        when the pauses are as loud as the speech.
        """
        if self._frames.min() < MIN_SNR_FRAMES:
            return None
        noise, speech = self._powers / self._frames
        if noise <= 0 or speech <= noise:
            return None
        return float(10 * np.log10((speech - noise) / noise))

    @property
    def bandwidth_hz(self) -> int | None:
        """The highest frequency within 60 dB of the long-term spectrum's peak; None for silence."""
        peak = self._spectrum.max()
        if peak <= 0:
            return None
        last = int(np.flatnonzero(self._spectrum >= peak * 10 ** (BAND_EDGE_DB / 10))[-1])
        return round(last * SPEC.sample_rate_hz / SPEC.frame_length)
