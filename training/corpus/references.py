"""Clean references: recordings rid of their own noise floor, levelled, cached; rejected where that fails.

PESQ compares with the reference, so a reference with an audible floor teaches that such a floor is perfect.
"""

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from scipy.signal import butter, sosfiltfilt

from aqscore.model.features import SPEC
from training.corpus.labels import LEVEL_FRAME, active_level, pesq_wb
from training.spectra import HOP, decision_directed, quiet_spectrum, to_samples, to_spectrum

RATE = SPEC.sample_rate_hz
LEVEL_DBFS = -26.0  # active level of every prepared reference, the usual level of ITU-T test material
CLEAN_FLOOR_DB = -60.0  # below active speech: with a floor this low nothing has to be done
WORDS_FLOOR_DB = -35.0  # a floor under this is masked inside the words: only the pauses are cleaned
HIGHEST_FLOOR_DB = -20.0  # as recorded; above it the noise inside the words can't be taken out unheard
FLOOR_AFTER_DB = -50.0
LEAST_SPEECH_S = 0.6
LEAST_PESQ = 2.8  # of the cleaned against the recorded: less means that cleaning took more than the floor
CLIPPED_SHARE = 0.002  # of samples within 0.1 % of the peak
GATE_DB = 40.0  # below the active level, after noise reduction: what is quieter is a pause
GATE_HOLD_S = 0.1
PAUSE_GAIN = 10 ** (-40 / 20)
HIGHPASS_HZ = 50
BAND_RANGE_DB = 60.0  # below the strongest bin: where the recording's own bandwidth ends


@dataclass(frozen=True)
class Reference:
    """One prepared recording: who speaks, where it came from, its cached copy, and what cleaning did.

    ``rejected`` is the reason why it isn't used, or "". Levels in dB below active speech; ``pesq`` is that
    of the cleaned against the recorded, None where nothing was cleaned.
    """

    corpus: str
    speaker: str
    source: str
    path: str
    seconds: float
    floor_before_db: float
    floor_after_db: float
    bandwidth_hz: float
    pesq: float | None
    rejected: str

    def as_dict(self) -> dict:
        return asdict(self)


def read_audio(path: Path) -> np.ndarray:
    """(n,) float32 at 16 kHz, the first channel. Raises ValueError when the file can't be read."""
    try:
        samples, rate = sf.read(path, dtype="float32", always_2d=True)
    except sf.LibsndfileError as error:
        raise ValueError(f"{path} can't be read ({error}), expected audio: remove or replace it.") from error
    return samples[:, 0] if rate == RATE else soxr.resample(samples[:, 0], rate, RATE)


@lru_cache(maxsize=1024)
def load_prepared(path: str) -> np.ndarray:
    """A prepared reference, (n,) float32 at 16 kHz, active level -26 dBFS. Not to be written to."""
    return sf.read(path, dtype="float32")[0]


def prepare(source: Path, corpus: str, speaker: str, cached: Path) -> Reference:
    """Cleans one recording into the file ``cached``, or says why it can't be used."""
    recorded = read_audio(source)
    seconds = len(recorded) / RATE
    if _clipped_share(recorded) > CLIPPED_SHARE:
        return _rejected(corpus, speaker, source, seconds, "clipped")
    if _speech_seconds(recorded) < LEAST_SPEECH_S:
        return _rejected(corpus, speaker, source, seconds, "too little speech")
    recorded = sosfiltfilt(butter(2, HIGHPASS_HZ, "highpass", fs=RATE, output="sos"), recorded).astype(
        np.float32
    )
    before = floor_db(recorded)
    if before > HIGHEST_FLOOR_DB:
        return _rejected(corpus, speaker, source, seconds, "noisy")
    cleaned, score = recorded, None
    if before > CLEAN_FLOOR_DB:
        cleaned = clean(recorded, words=before > WORDS_FLOOR_DB)
        score = pesq_wb(recorded, cleaned)
        if score is None or score < LEAST_PESQ:
            return _rejected(corpus, speaker, source, seconds, "changed by cleaning")
    after = floor_db(cleaned)
    if after > FLOOR_AFTER_DB:
        return _rejected(corpus, speaker, source, seconds, "noisy after cleaning")
    cached.parent.mkdir(parents=True, exist_ok=True)
    sf.write(cached, levelled(cleaned), RATE, subtype="PCM_16")
    width = _bandwidth_hz(recorded)
    return Reference(corpus, speaker, str(source), str(cached), seconds, before, after, width, score, "")


def clean(recorded: np.ndarray, words: bool) -> np.ndarray:
    """Takes the noise floor out of (n,) samples: an expander on the pauses, Wiener gain in ``words`` too.

    Noise reduction leaves artefacts in the words, which a reference must not have unless it needs them.
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
    """(n,) samples at the level of every reference, or as near to it as full scale allows."""
    samples = samples * (10 ** (LEVEL_DBFS / 20) / active_level(samples))
    return samples * min(1.0, 0.99 / np.max(np.abs(samples)))


def floor_db(samples: np.ndarray) -> float:
    """Mean level of the quietest tenth of 20 ms stretches, in dB relative to active speech; at least -120."""
    level = active_level(samples)
    power = np.sort(_powers(samples))
    quiet = np.mean(power[: max(1, len(power) // 10)])
    return float(max(-120.0, 10 * np.log10((quiet + 1e-20) / (level**2 + 1e-20))))


def _powers(samples: np.ndarray) -> np.ndarray:
    count = len(samples) // LEVEL_FRAME
    return np.mean(
        np.square(samples[: count * LEVEL_FRAME].reshape(count, LEVEL_FRAME), dtype=np.float64), axis=1
    )


def _speech_seconds(samples: np.ndarray) -> float:
    level = active_level(samples)
    return float(np.sum(_powers(samples) > max(level**2 * 1e-2, 1e-12))) * LEVEL_FRAME / RATE


def _clipped_share(samples: np.ndarray) -> float:
    size = np.abs(samples)
    return float(np.mean(size >= 0.999 * np.max(size, initial=1e-9)))


def _bandwidth_hz(samples: np.ndarray) -> float:
    power = np.mean(np.abs(to_spectrum(samples)) ** 2, axis=0)
    return float(
        np.flatnonzero(power >= power.max() * 10 ** (-BAND_RANGE_DB / 10))[-1] * RATE / 2 / (len(power) - 1)
    )


def _rejected(corpus: str, speaker: str, source: Path, seconds: float, reason: str) -> Reference:
    return Reference(corpus, speaker, str(source), "", seconds, 0.0, 0.0, 0.0, None, reason)
