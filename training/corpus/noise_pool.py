"""Noise at RMS 1, drawn from one split's files, babble and computed noises, and augmented for training."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from aqscore.model.features import SPEC
from training.corpus.references import read_audio
from training.corpus.speech import SpeechPool
from training.corpus.splits import TALKING, TRAIN
from training.degradations.synthetic_noise import equalised, gate, scatter, synthetic, unit_rms

RATE = SPEC.sample_rate_hz
BABBLE_SHARE, PAIR_SHARE = 0.10, 0.18  # of the noises drawn; the rest are of one kind
SYNTHETIC_SHARE = 0.15  # in training only
TRAIN_ONLY_SHARE = 0.5  # of the kinds drawn, where there are some
# Probabilities of each augmentation of a training noise; it is gated or scattered, or neither.
EQUALISED, RESAMPLED, GATED, SCATTERED = 0.5, 0.4, 0.2, 0.25
BABBLE_VOICES = (3, 8)
SPEED = (0.7, 1.4)


@dataclass(frozen=True)
class NoisePool:
    """The noise files of one split, {kind: paths}, and the speech of the same split for babble.

    ``train_only`` holds the files of folders that are marked for training only.
    """

    files: dict[str, tuple[str, ...]]
    speech: SpeechPool
    split: str
    train_only: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError when every kind may contain talk."""
        if all(_talks(kind) for kind in self.files):
            raise ValueError(
                f"The {self.split} split has no noise without talk in it, expected some of several kinds: "
                "add noise files, named after the sound."
            )

    def draw(self, generator: np.random.Generator, length: int) -> tuple[np.ndarray, list[str], dict]:
        """(length,) float32 of RMS 1, its kinds, and its augmentation (in training only)."""
        train = self.split == TRAIN
        choice = generator.random()
        if choice < BABBLE_SHARE:
            noise, kinds = self._babble(generator, length), [f"babble-{self.split}"]
        elif choice < BABBLE_SHARE + PAIR_SHARE:
            noise, kinds = self._paired(*self.one_kind(generator, length), generator)
        elif train and choice < BABBLE_SHARE + PAIR_SHARE + SYNTHETIC_SHARE:
            noise, kind = synthetic(generator, length)
            kinds = [kind]
        else:
            noise, kind = self.one_kind(generator, length)
            kinds = [kind]
        augmentation: dict[str, bool] = {}
        if train:
            noise, augmentation = _augmented(noise, generator)
        return unit_rms(noise), kinds, augmentation

    def draw_speechless(self, generator: np.random.Generator, length: int) -> tuple[np.ndarray, list[str]]:
        """(length,) float32 of RMS 1 of kinds without talk, and the kinds."""
        noise, kind = self.one_kind(generator, length, talking=False)
        if self.split != TRAIN:
            return noise, [kind]
        kinds = [kind]
        if generator.random() < PAIR_SHARE:
            noise, kinds = self._paired(noise, kind, generator, talking=False)
        noise, _ = _augmented(noise, generator)
        return unit_rms(noise), kinds

    def one_kind(
        self, generator: np.random.Generator, length: int, talking: bool = True
    ) -> tuple[np.ndarray, str]:
        """(length,) float32 of RMS 1 of one kind, and the kind; kinds with talk only if ``talking``."""
        use_train_only = self.train_only and generator.random() < TRAIN_ONLY_SHARE
        files = self.train_only if use_train_only else self.files
        kinds = [kind for kind in sorted(files) if talking or not _talks(kind)]
        kind = kinds[generator.integers(len(kinds))]
        samples = _load(files[kind][generator.integers(len(files[kind]))])
        if self.split == TRAIN and generator.random() < RESAMPLED:
            speed = generator.uniform(*SPEED)
            at = np.arange(0, len(samples) - 1, speed)
            samples = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
        start = int(generator.integers(len(samples)))
        repeated = np.tile(samples, 1 + -(-(start + length) // len(samples)))
        return unit_rms(repeated[start : start + length]), kind

    def _paired(
        self, noise: np.ndarray, kind: str, generator: np.random.Generator, talking: bool = True
    ) -> tuple[np.ndarray, list[str]]:
        """The noise with a second one, as loud or up to 10 dB softer, and both kinds."""
        second, other = self.one_kind(generator, len(noise), talking)
        return noise + second * 10 ** (generator.uniform(-10, 0) / 20), sorted({kind, other})

    def _babble(self, generator: np.random.Generator, length: int) -> np.ndarray:
        voices = [
            self.speech.passage(generator, length)
            for _ in range(generator.integers(BABBLE_VOICES[0], BABBLE_VOICES[1] + 1))
        ]
        levelled = [voice * np.float32(10 ** (generator.uniform(-6, 0) / 20)) for voice in voices]
        return np.sum(levelled, axis=0)


def _augmented(noise: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, dict[str, bool]]:
    """The noise equalised, gated or scattered at random, and which of these."""
    augmentation: dict[str, bool] = {}
    if generator.random() < EQUALISED:
        noise, augmentation["equalised"] = equalised(noise, generator), True
    choice = generator.random()
    if choice < GATED:
        noise, augmentation["gated"] = noise * gate(generator, len(noise)), True
    elif choice < GATED + SCATTERED:
        noise, augmentation["scattered"] = noise * scatter(generator, len(noise)), True
    return noise, augmentation


@lru_cache(maxsize=1024)
def _load(path: str) -> np.ndarray:
    return read_audio(Path(path))


def _talks(kind: str) -> bool:
    return bool(re.search(TALKING, kind))
