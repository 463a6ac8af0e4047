"""Clean references: recordings without their noise floor, at one level, cached; unusable ones are rejected.

PESQ compares with the reference: one with an audible noise floor would label that floor as perfect.
"""

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from scipy.signal import butter, sosfiltfilt

from aqscore.model.features import SPEC
from training.cleaning import WORDS_FLOOR_DB, block_powers, clean, floor_db, levelled
from training.corpus.labels import pesq_wb
from training.levels import LEVEL_FRAME, active_level
from training.spectra import to_spectrum

RATE = SPEC.sample_rate_hz
CLEAN_FLOOR_DB = -60.0  # relative to active speech: a recording with a lower floor is not cleaned
MAX_FLOOR_DB = -20.0  # as recorded; removing a louder floor would leave audible artefacts
MAX_CLEANED_FLOOR_DB = -50.0
MIN_SPEECH_S = 0.6
MIN_PESQ = 2.8  # of the cleaned against the recorded: below it, cleaning removed more than the floor
MAX_CLIPPED_SHARE = 0.002  # of samples within 0.1 % of the peak
HIGHPASS_HZ = 50
MIN_BANDWIDTH_HZ = 6500.0  # what lies above it could otherwise be taken for a sign of quality
BAND_RANGE_DB = 60.0  # below the strongest bin: where the recording's own bandwidth ends


@dataclass(frozen=True)
class Reference:
    """One prepared recording: its speaker, its source, its cached copy, and the effect of cleaning.

    ``rejected`` is the reason why it isn't used, or "". Levels are in dB relative to active speech. ``pesq``
    compares the cleaned with the recorded samples; None where nothing was cleaned.
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
    """Cleans one recording into the file ``cached``; the returned reference says why when it is rejected."""
    recorded = read_audio(source)
    seconds = len(recorded) / RATE
    if _clipped_share(recorded) > MAX_CLIPPED_SHARE:
        return _rejected(corpus, speaker, source, seconds, "clipped")
    if _speech_seconds(recorded) < MIN_SPEECH_S:
        return _rejected(corpus, speaker, source, seconds, "too little speech")
    recorded = sosfiltfilt(butter(2, HIGHPASS_HZ, "highpass", fs=RATE, output="sos"), recorded).astype(
        np.float32
    )
    width = _bandwidth_hz(recorded)
    if width < MIN_BANDWIDTH_HZ:
        return _rejected(corpus, speaker, source, seconds, "narrow band")
    before = floor_db(recorded)
    if before > MAX_FLOOR_DB:
        return _rejected(corpus, speaker, source, seconds, "noisy")
    cleaned, score = recorded, None
    if before > CLEAN_FLOOR_DB:
        cleaned = clean(recorded, words=before > WORDS_FLOOR_DB)
        score = pesq_wb(recorded, cleaned)
        if score is None or score < MIN_PESQ:
            return _rejected(corpus, speaker, source, seconds, "changed by cleaning")
    after = floor_db(cleaned)
    if after > MAX_CLEANED_FLOOR_DB:
        return _rejected(corpus, speaker, source, seconds, "noisy after cleaning")
    cached.parent.mkdir(parents=True, exist_ok=True)
    sf.write(cached, levelled(cleaned), RATE, subtype="PCM_16")
    return Reference(corpus, speaker, str(source), str(cached), seconds, before, after, width, score, "")


def _speech_seconds(samples: np.ndarray) -> float:
    level = active_level(samples)
    return float(np.sum(block_powers(samples) > max(level**2 * 1e-2, 1e-12))) * LEVEL_FRAME / RATE


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
