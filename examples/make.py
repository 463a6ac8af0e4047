"""Generates the three sample recordings: ``python -m examples.make``. Needs Debian's package flite.

clean.flac      a synthetic voice, nothing else
noisy.flac      the same voice in pink noise at 35 dB SNR, with a burst at 12 dB from 3.0 to 4.5 s
no_speech.flac  a little tune over quiet noise

All three are the project's own, free for any use (CC0). Another release of flite may speak a little
differently; the committed files are what the demo and the tests use.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
FOLDER = Path(__file__).resolve().parent
TEXT = (
    "This is a recording of a voice in a quiet room. Every word can be understood, "
    "and nothing else can be heard."
)
BURST_S = (3.0, 4.5)
TUNE_HZ = (262, 330, 392, 523, 440, 349, 294, 392)


def speech() -> np.ndarray:
    """The sentence as flite's voice slt says it, (n,) float64 at 16 kHz, RMS 0.08."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        subprocess.run(["flite", "-voice", "slt", "-t", TEXT, "-o", str(path)], check=True)
        samples, rate = soundfile.read(path)
    if rate != RATE:
        raise ValueError(f"flite spoke at {rate} Hz, expected {RATE} Hz: install its 16 kHz voice slt.")
    return samples * 0.08 / rms(samples)


def pink_noise(count: int, rng: np.random.Generator) -> np.ndarray:
    """(count,) noise whose power falls by 3 dB an octave, RMS 1."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    noise = np.fft.irfft(spectrum, count)
    return noise / rms(noise)


def tune(rng: np.random.Generator) -> np.ndarray:
    """Decaying notes of half a second, each with three overtones, over quiet noise."""
    time = np.arange(RATE // 2) / RATE
    notes = [
        sum(np.sin(2 * np.pi * part * pitch * time) / part for part in (1, 2, 3, 4)) * np.exp(-4 * time)
        for pitch in TUNE_HZ
    ]
    melody = np.concatenate(notes) * 0.1
    return melody + 0.001 * pink_noise(len(melody), rng)


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def main() -> None:
    rng = np.random.default_rng(7)
    clean = speech()
    noise = pink_noise(len(clean), rng) * rms(clean)
    gain = np.full(len(clean), 10 ** (-35 / 20))
    start, stop = (round(edge * RATE) for edge in BURST_S)
    gain[start:stop] = 10 ** (-12 / 20)
    recordings = {"clean": clean, "noisy": clean + gain * noise, "no_speech": tune(rng)}
    for name, samples in recordings.items():
        soundfile.write(FOLDER / f"{name}.flac", samples, RATE, subtype="PCM_16")


if __name__ == "__main__":
    main()
