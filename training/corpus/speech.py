"""Passages of clean speech: drawn from one split's prepared references, joined and cropped at pauses."""

from dataclasses import dataclass

import numpy as np

from aqscore.model.features import SPEC
from training.corpus.references import LEVEL_DBFS, Reference, load_prepared

RATE = SPEC.sample_rate_hz
GAP_S = (0.15, 0.6)  # of silence between two recordings that are joined
FADE = 80  # samples
STEP = 160  # samples, the grid on which pauses are looked for
PAUSE_DB = 35.0  # below the level that every reference was brought to
LEAST_SPEECH = 0.3  # of a passage
SYNTHETIC_SHARE = 0.25  # of the passages drawn, at most


@dataclass(frozen=True)
class Passage:
    """Clean speech (n,) float32 at 16 kHz, who speaks and from which recordings."""

    samples: np.ndarray
    speakers: list[str]
    files: list[str]


class SpeechPool:
    """One split's references: a corpus is drawn by the square root of its size, then a speaker, a file."""

    def __init__(self, references: list[Reference], synthetic: set[str], *, by_speakers: bool) -> None:
        """A corpus's size is how many speakers it has, or its hours.

        Raises ValueError when there is no reference to draw.
        """
        if not references:
            raise ValueError(
                "No usable clean speech is left for this split, expected some: "
                "add speech, or see references.jsonl."
            )
        self._corpora: dict[str, dict[str, list[Reference]]] = {}
        for reference in sorted(references, key=lambda reference: reference.source):
            self._corpora.setdefault(reference.corpus, {}).setdefault(reference.speaker, []).append(reference)
        self._names = sorted(self._corpora)
        weights = np.sqrt([_size(self._corpora[name], by_speakers) for name in self._names])
        made = np.array([name in synthetic for name in self._names])
        if made.any() and not made.all():
            limit = SYNTHETIC_SHARE / (1 - SYNTHETIC_SHARE) * weights[~made].sum()
            weights[made] *= min(1.0, limit / weights[made].sum())
        self._weights = weights / weights.sum()

    def draw(self, generator: np.random.Generator, seconds: float) -> Passage:
        """About ``seconds`` of one speaker, begun and ended in pauses where there are any, mostly speech."""
        while True:
            speaker, chosen = self._recordings(generator, seconds)
            samples = _cropped(_joined(chosen, generator), round(seconds * RATE), generator)
            loud = _loudness(samples)
            if len(loud) and np.mean(loud) >= LEAST_SPEECH:
                return Passage(samples, [speaker], [reference.source for reference in chosen])

    def passage(self, generator: np.random.Generator, length: int) -> np.ndarray:
        """(length,) of one voice without care for pauses: a voice of a babble."""
        _, chosen = self._recordings(generator, length / RATE)
        samples = np.resize(_joined(chosen, generator), length)
        return np.roll(samples, int(generator.integers(length)))

    def _recordings(self, generator: np.random.Generator, seconds: float) -> tuple[str, list[Reference]]:
        corpus = self._corpora[self._names[generator.choice(len(self._names), p=self._weights)]]
        speaker = sorted(corpus)[generator.integers(len(corpus))]
        order = generator.permutation(len(corpus[speaker]))
        chosen, total = [], 0.0
        while total < seconds:
            reference = corpus[speaker][order[len(chosen) % len(order)]]
            chosen.append(reference)
            total += reference.seconds
        return speaker, chosen


def _size(corpus: dict[str, list[Reference]], by_speakers: bool) -> float:
    if by_speakers:
        return len(corpus)
    return sum(reference.seconds for mine in corpus.values() for reference in mine) / 3600


def _joined(chosen: list[Reference], generator: np.random.Generator) -> np.ndarray:
    pieces = []
    for reference in chosen:
        pieces += [
            load_prepared(reference.path),
            np.zeros(round(generator.uniform(*GAP_S) * RATE), np.float32),
        ]
    return np.concatenate(pieces[:-1])


def _loudness(samples: np.ndarray) -> np.ndarray:
    """(n / STEP,) bool, whether there is speech in each 10 ms."""
    count = len(samples) // STEP
    power = np.mean(np.square(samples[: count * STEP].reshape(count, STEP)), axis=1)
    return power > 10 ** ((LEVEL_DBFS - PAUSE_DB) / 10)


def _cropped(samples: np.ndarray, length: int, generator: np.random.Generator) -> np.ndarray:
    """About ``length`` samples, begun and ended in pauses where there are any within half a second."""
    if len(samples) > length:
        quiet = np.flatnonzero(~_loudness(samples)) * STEP
        start = _nearest(quiet, int(generator.integers(len(samples) - length + 1)))
        end = _nearest(quiet, min(start + length, len(samples)))
        samples = samples[start:end] if end - start > length // 2 else samples[start : start + length]
    return faded(samples)


def faded(samples: np.ndarray) -> np.ndarray:
    """A copy of (n,) samples that comes and goes within 5 ms: what is cut or joined does not click."""
    samples = samples.copy()
    samples[:FADE] *= np.linspace(0, 1, FADE, dtype=np.float32)
    samples[-FADE:] *= np.linspace(1, 0, FADE, dtype=np.float32)
    return samples


def _nearest(quiet: np.ndarray, at: int) -> int:
    if not len(quiet):
        return at
    found = int(quiet[np.argmin(np.abs(quiet - at))])
    return found if abs(found - at) <= RATE // 2 else at
