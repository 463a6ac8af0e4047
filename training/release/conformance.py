"""Conformance signals and their pinned scores: `python -m training.release.conformance --model DIR`.

Writes conformance.json beside the model. A test recomputes the scores, on every machine and runtime.
The signals resemble speech for the network only; their scores say nothing about quality.
"""

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile as sf

from aqscore.config import ScorerConfig
from aqscore.model.features import SPEC
from aqscore.pipeline import score_file

TOLERANCE = 0.005
RATE = SPEC.sample_rate_hz
SECONDS = 6
FORMANTS_HZ = ((700, 1200, 2600), (300, 2200, 3000), (350, 800, 2400), (500, 1700, 2500))  # a, i, u, e
BANDWIDTH_HZ = 90
SYLLABLES_PER_S = 4
LOWEST_PITCH_HZ, PITCH_RANGE_HZ = 105, 35


def signals() -> dict[str, np.ndarray]:
    """Name -> (n,) float32 at 16 kHz, the same samples on every machine."""
    voice = _voice()
    noise = np.random.default_rng(0).standard_normal(len(voice))
    at = np.arange(len(voice)) / RATE

    def with_noise(snr_db: float) -> np.ndarray:
        return voice + noise * np.sqrt(np.mean(voice**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)

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


def scores_of(settings: ScorerConfig) -> dict[str, float | None]:
    """The serving pipeline's score of each signal, MOS-LQO; None where it finds no speech."""
    found = {}
    for name, samples in signals().items():
        with tempfile.TemporaryFile(suffix=".wav") as file:
            sf.write(file, samples, RATE, format="WAV", subtype="PCM_16")
            file.seek(0)
            found[name] = score_file(file, settings, frames=False).score
    return found


def _voice() -> np.ndarray:
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
    return voice * syllable * pause


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.release.conformance", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=ScorerConfig().model_dir,
        help="folder that training.release.export wrote",
    )
    folder = parser.parse_args(arguments).model
    scores = scores_of(replace(ScorerConfig(), model_dir=folder))
    pinned = {"tolerance": TOLERANCE, "scores": scores}
    (folder / "conformance.json").write_text(json.dumps(pinned, indent=1) + "\n")
    for name, value in scores.items():
        print(f"{name}: {'no score' if value is None else value}")


if __name__ == "__main__":
    main()
