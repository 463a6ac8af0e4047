"""Speech-like recordings, noises and a room, made here: material for the corpus builder's tests."""

from pathlib import Path

import numpy as np
import soundfile as sf

from aqscore.model.features import SPEC
from training.corpus.splits import TRAIN_ONLY_MARK

RATE = SPEC.sample_rate_hz


def voice(seconds: float, seed: int, pitch: float = 130.0) -> np.ndarray:
    """(n,) float32: syllables of a pulse train through three moving resonances, with pauses between words."""
    generator = np.random.default_rng(seed)
    at = np.arange(round(seconds * RATE)) / RATE
    syllable = 0.5 - 0.5 * np.cos(2 * np.pi * 4.0 * at)
    word = np.sin(2 * np.pi * at / 1.3 + generator.uniform(0, 6)) > -0.5
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * at))) / RATE
    formants = [
        centre * (1 + 0.2 * np.sin(2 * np.pi * generator.uniform(1, 3) * at)) for centre in (600, 1500, 2800)
    ]
    total = np.zeros(len(at))
    for number in range(1, int(7_000 / pitch)):
        gain = sum(np.exp(-(((number * pitch - centre) / 250) ** 2)) for centre in formants) + 0.003
        total += gain * np.sin(number * phase)
    total *= syllable * np.convolve(word, np.full(400, 1 / 400), "same")
    return (0.4 * total / np.max(np.abs(total))).astype(np.float32)


def write(path: Path, samples: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, samples, RATE, subtype="PCM_16")
    return path


def make_sources(folder: Path) -> dict[str, list[Path]]:
    """A labelled corpus of six speakers, one with a single folder, noises of several kinds, and two rooms.

    And three more noises, two of the same kinds, that are marked to train only.
    """
    for speaker in range(6):
        for file in range(2):
            write(
                folder / f"read/S{speaker}/{file}.flac", voice(3.5, 10 * speaker + file, 100 + 20 * speaker)
            )
    write(folder / "commands/all/0.flac", voice(4, 99))
    generator = np.random.default_rng(4)
    kinds = (
        "rain",
        "light-rain-1",
        "busy-street",
        "traffic",
        "cafe",
        "crowd",
        "drill",
        "ceiling-fan",
        "owl",
        "frog",
    )
    for name in kinds:
        write(folder / "noise" / f"{name}.flac", 0.1 * generator.standard_normal(RATE))
    for name in ("anvil", *kinds[-2:]):
        write(folder / "packaged" / f"{name}.flac", 0.1 * generator.standard_normal(RATE))
    (folder / "packaged" / TRAIN_ONLY_MARK).touch()
    for name in ("hall", "cellar"):
        decay = np.exp(-np.arange(4000) / 600)
        write(
            folder / "rooms" / f"{name}.flac",
            0.5 * np.r_[np.zeros(30), 1, 0.3 * generator.standard_normal(4000) * decay].clip(-1, 1),
        )
    return {
        "speech": [folder / "read", folder / "commands"],
        "noise": [folder / "noise", folder / "packaged"],
        "rir": [folder / "rooms"],
    }
