"""Signal statistics: levels, silence, speech share, SNR and bandwidth of a recording."""

import numpy as np
from numpy.typing import NDArray

from aqscore.analysis.active_level import HANGOVER, STEPS, ActiveLevel, EnvelopeStream
from aqscore.analysis.bandwidth import BINS, Bandwidth, half_spectra
from aqscore.model.features import SPEC

SILENCE_DBFS = -70.0
MIN_SNR_FRAMES = 15  # a quarter of a second of speech, and as much of pauses, for an SNR
CLEAREST_S = 0.6  # a word or two; clicks and cries that resemble speech are shorter
CLEAREST_FRAMES = round(CLEAREST_S / SPEC.hop_s)
GUARD_FRAMES = 3  # between speech and a pause: onsets and reverberation of speech are not noise
HANGOVER_HOPS = HANGOVER // STEPS  # after a frame of speech, which count as speech for the active level
SPECTRUM_HOPS, LATER_SPECTRUM_HOPS = 4, 16  # one spectrum in so many hops, fewer after the first minute
DENSE_HOPS = 3_750


def clearest_speech(speech: NDArray[np.float32]) -> float:
    """The highest mean of (n,) speech probabilities over any 0.6 s, or over all if there are fewer."""
    width = min(len(speech), CLEAREST_FRAMES)
    return float(np.lib.stride_tricks.sliding_window_view(speech, width).mean(axis=1).max())


class _Waiting:
    """Values of hops whose speech probability is not known yet. Those of digital silence are left out."""

    def __init__(self, *shape: int) -> None:
        """``shape`` is that of the values of one hop."""
        self._shape = shape
        self._at = [np.empty(0, np.int64)]  # the numbers of the hops, ascending
        self._values = [np.empty((0, *shape), np.float32)]

    def push(self, at: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        self._at.append(at)
        self._values.append(values)

    def before(self, stop: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The numbers and values of the hops before ``stop``."""
        if len(self._at) > 1:
            self._at, self._values = [np.concatenate(self._at)], [np.concatenate(self._values)]
        count = int(np.searchsorted(self._at[0], stop))
        return self._at[0][:count], self._values[0][:count]

    def dense(self, start: int, stop: int) -> NDArray[np.float32]:
        """The values of all hops from ``start`` to ``stop``, 0 in digital silence."""
        at, known = self.before(stop)
        values = np.zeros((stop - start, *self._shape), np.float32)
        values[at - start] = known
        return values

    def drop(self, stop: int) -> None:
        """Forgets the hops before ``stop``."""
        count = len(self.before(stop)[0])
        self._at, self._values = [self._at[0][count:]], [self._values[0][count:]]


class SignalStatistics:
    """Measures a recording block by block, behind the high-pass filter.

    Memory doesn't grow with the length of the recording: it holds the samples' powers and spectra until the
    network has found out where speech is.
    """

    def __init__(self, speech_probability: float) -> None:
        """Frames with at least ``speech_probability`` count as speech."""
        self._speech_probability = speech_probability
        self._tail = np.zeros(SPEC.hop, np.float32)  # the last whole hop, and the samples after it
        self._samples = 0
        self._energy = 0.0
        self._hops = 0
        self._silent_hops = 0
        self._envelope = EnvelopeStream()
        self._powers = _Waiting()
        self._envelopes = _Waiting(STEPS)
        self._spectra = _Waiting(2, BINS)
        self._active_level = ActiveLevel()
        self._bandwidth = Bandwidth()
        self._all_frames = 0
        self._speech_frames = 0
        self._frames = np.zeros(2, np.int64)  # in pauses, in speech
        self._frame_powers = np.zeros(2)  # sums over these frames
        self._last_spoken = np.empty(0, np.bool_)
        self._last_speech = np.empty(0, np.float32)
        self._clearest_speech = 0.0

    def add_samples(self, samples: NDArray[np.float32]) -> None:
        """Takes (n,) float32 at 16 kHz, full scale 1.0."""
        self._samples += len(samples)
        self._energy += float(np.dot(samples, samples))
        self._tail = np.concatenate([self._tail, samples])
        count = len(self._tail) // SPEC.hop - 1
        if count == 0:
            return
        frames = np.lib.stride_tricks.sliding_window_view(self._tail, SPEC.frame_length)[:: SPEC.hop]
        self._add_spectra(frames, self._hops - 1)
        self._add_hops(self._tail[SPEC.hop : SPEC.hop * (count + 1)].reshape(count, SPEC.hop))
        self._tail = self._tail[SPEC.hop * count :].copy()

    def add_speech(self, speech: NDArray[np.float32]) -> None:
        """Takes the speech probabilities (n,) of the next frames, n from 1, whose samples were added."""
        spoken = speech >= self._speech_probability
        first, after = self._all_frames, self._all_frames + len(speech)
        self._add_clearest(speech)
        self._add_snr(spoken, self._powers.dense(first, after + 1))
        before = np.concatenate([self._last_spoken, spoken])
        active = np.convolve(before, np.ones(HANGOVER_HOPS + 1))[len(self._last_spoken) :][: len(spoken)] > 0
        self._last_spoken = before[-HANGOVER_HOPS:]
        powers, envelopes = self._powers.dense(first, after), self._envelopes.dense(first, after)
        self._active_level.add(powers[active], envelopes[active])
        numbers, spectra = self._spectra.before(after)
        if len(numbers):
            self._bandwidth.add(spectra, spoken[numbers - first])
        for waiting in (self._powers, self._envelopes, self._spectra):
            waiting.drop(after)
        self._all_frames = after
        self._speech_frames += int(np.count_nonzero(spoken))

    @property
    def level_dbfs(self) -> float | None:
        """RMS level of all samples in dB relative to full scale; None for digital silence."""
        return float(10 * np.log10(self._energy / self._samples)) if self._energy > 0 else None

    @property
    def active_level_dbfs(self) -> float | None:
        """Level of the speech without its pauses, as in ITU-T P.56; None without speech."""
        return self._active_level.dbfs

    @property
    def silent_share(self) -> float:
        """Share of the time below -70 dBFS, 0 to 1."""
        return self._silent_hops / self._hops if self._hops else float(self._energy == 0)

    @property
    def speech_share(self) -> float:
        """Share of the frames that are speech, 0 to 1."""
        return self._speech_frames / self._all_frames if self._all_frames else 0.0

    @property
    def speech_s(self) -> float:
        """Seconds of speech."""
        return self._speech_frames * SPEC.hop_s

    @property
    def clearest_speech(self) -> float:
        """The highest mean speech probability over any 0.6 s, 0 to 1."""
        return self._clearest_speech

    @property
    def snr_db(self) -> float | None:
        """Signal-to-noise ratio in dB: 10 log10((S - N) / N).

        S and N are the mean powers of speech frames and of pause frames. Digital silence is no pause: its
        noise was removed. None without enough of both, or when the pauses are as loud as the speech.
        """
        if self._frames.min() < MIN_SNR_FRAMES:
            return None
        noise, speech = self._frame_powers / self._frames
        if speech <= noise:
            return None
        return float(10 * np.log10((speech - noise) / noise))

    @property
    def bandwidth_hz(self) -> int | None:
        """The upper end of the spectrum of speech, of all sound where there is little; None for silence."""
        return self._bandwidth.hz

    def _add_spectra(self, frames: NDArray[np.float32], number: int) -> None:
        """Takes successive frames (n, 512), of which the first has that number."""
        first = -number % SPECTRUM_HOPS
        at = np.arange(number + first, number + len(frames), SPECTRUM_HOPS)
        chosen = (at < DENSE_HOPS) | (at % LATER_SPECTRUM_HOPS == 0)
        at, chosen_frames = at[chosen], frames[first::SPECTRUM_HOPS][chosen]
        sounding = chosen_frames.any(axis=1)
        self._spectra.push(at[sounding], half_spectra(chosen_frames[sounding]))

    def _add_hops(self, hops: NDArray[np.float32]) -> None:
        """Takes (n, 256) samples."""
        powers = np.einsum("ij,ij->i", hops, hops) / SPEC.hop
        envelopes = self._envelope.push(hops)
        at = np.arange(self._hops, self._hops + len(hops))
        self._hops += len(hops)
        self._silent_hops += int(np.count_nonzero(powers < 10 ** (SILENCE_DBFS / 10)))
        sounding, held = powers > 0, envelopes.any(axis=1)
        self._powers.push(at[sounding], powers[sounding])
        self._envelopes.push(at[held], envelopes[held])

    def _add_clearest(self, speech: NDArray[np.float32]) -> None:
        recent = np.concatenate([self._last_speech, speech])
        clearest = clearest_speech(recent)
        # The mean of less than 0.6 s counts only until so much is known.
        whole = self._all_frames >= CLEAREST_FRAMES
        self._clearest_speech = max(self._clearest_speech, clearest) if whole else clearest
        self._last_speech = recent[-(CLEAREST_FRAMES - 1) :]

    def _add_snr(self, spoken: NDArray[np.bool_], hop_powers: NDArray[np.float32]) -> None:
        near_speech = np.convolve(spoken, np.ones(2 * GUARD_FRAMES + 1), "same")[: len(spoken)] > 0
        powers = (hop_powers[1:] + hop_powers[:-1]) / 2
        for row, chosen in enumerate((~near_speech & (powers > 0), spoken)):
            self._frames[row] += np.count_nonzero(chosen)
            self._frame_powers[row] += powers[chosen].sum(dtype=np.float64)
