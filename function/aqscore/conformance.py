"""Conformance signals: generated sounds with pinned score and MOS, to check an installation.

The signals resemble speech for the network only; their scores say nothing about quality.
"""

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from aqscore.config import ScorerConfig
from aqscore.errors import SetupError
from aqscore.model.features import SPEC
from aqscore.scorer import Scorer

RATE = SPEC.sample_rate_hz
SECONDS = 6
FORMANTS_HZ = ((700, 1200, 2600), (300, 2200, 3000), (350, 800, 2400), (500, 1700, 2500))  # a, i, u, e
BANDWIDTH_HZ = 90
SYLLABLES_PER_S = 4
LOWEST_PITCH_HZ, PITCH_RANGE_HZ = 105, 35


@dataclass(frozen=True)
class Check:
    """A signal's pinned value and the one found here: score or MOS; None where there is no speech."""

    signal: str  # its name, for the MOS followed by ": MOS"
    pinned: float | None
    found: float | None
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether both are numbers within the tolerance, or none is a number."""
        if self.pinned is None or self.found is None:
            return self.pinned is self.found
        return abs(self.pinned - self.found) <= self.tolerance


def checks(config: ScorerConfig) -> list[Check]:
    """Scores every pinned signal through the decoder and the model of a configuration.

    Raises SetupError when the model can't be loaded or pins no values.
    """
    scorer = Scorer.from_config(config)
    path = config.model_dir / "conformance.json"
    try:
        pinned = json.loads(path.read_text())
        tolerance, scores, mos = float(pinned["tolerance"]), dict(pinned["scores"]), dict(pinned["mos"])
    except (OSError, ValueError, KeyError, TypeError):
        raise SetupError(
            f"{path} is missing or damaged, expected the pinned values of the conformance signals.",
            advice="Restore it, or write it: python -m training.release.conformance --model DIR.",
        ) from None
    made = signals()
    if unknown := (scores.keys() | mos.keys()) - made.keys():
        raise SetupError(
            f"{path} pins {', '.join(sorted(unknown))}, which this version can't generate.",
            advice="Use the version of aqscore that the model came with.",
        )
    reports = {name: scorer.score(_wav(made[name]), frames=False) for name in scores | mos}
    return [
        *(Check(name, score, reports[name].score, tolerance) for name, score in scores.items()),
        *(Check(f"{name}: MOS", value, reports[name].mos, tolerance) for name, value in mos.items()),
    ]


def signals() -> dict[str, NDArray[np.float32]]:
    """Name -> (n,) float32 at 16 kHz, the same samples on every machine."""
    voice = _voice()
    noise = np.random.default_rng(0).standard_normal(len(voice))
    at = np.arange(len(voice)) / RATE

    def with_noise(snr_db: float) -> NDArray[Any]:
        mixed: NDArray[Any] = voice + noise * np.sqrt(np.mean(voice**2) / np.mean(noise**2)) * 10 ** (
            -snr_db / 20
        )
        return mixed

    burst = np.where((at > 2) & (at < 3.5), with_noise(0), voice)
    made = {
        "voice": voice,
        "voice, noise at 20 dB": with_noise(20),
        "voice, noise at 5 dB": with_noise(5),
        "voice, burst of noise": burst,
        "voice, clipped": np.clip(voice, -0.3 * np.abs(voice).max(), 0.3 * np.abs(voice).max()),
        "white noise": noise,
        "tone": np.sin(2 * np.pi * 440 * at),
    }
    return {name: (0.5 * values / np.abs(values).max()).astype(np.float32) for name, values in made.items()}


def _voice() -> NDArray[Any]:
    """Vowels, four a second with pauses: harmonics under formant resonances (Fant's source-filter model)."""
    at = np.arange(SECONDS * RATE) / RATE
    pitch = LOWEST_PITCH_HZ + PITCH_RANGE_HZ * (1 + np.sin(2 * np.pi * 0.4 * at))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    vowel = (at * SYLLABLES_PER_S).astype(int) % len(FORMANTS_HZ)
    formants = np.array(FORMANTS_HZ, float)[vowel].T
    voice = np.zeros(len(at))
    for harmonic in range(1, 50):
        frequency = harmonic * pitch
        gain = sum(1 / (1 + ((frequency - formant) / BANDWIDTH_HZ) ** 2) for formant in formants)
        voice += np.where(frequency < RATE / 2, gain / harmonic * np.sin(harmonic * phase), 0)
    syllable = np.abs(np.sin(np.pi * SYLLABLES_PER_S * at)) ** 0.7
    pause = (at % 2.0) < 1.6
    return np.asarray(voice * syllable * pause)


def _wav(samples: NDArray[np.float32]) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()
