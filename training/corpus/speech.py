"""Passages of speech: drawn from one split's prepared references, joined and cropped, or unlabelled."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aqscore.model.features import SPEC
from training.cleaning import LEVEL_DBFS, levelled
from training.corpus.references import Reference, load_prepared, read_audio
from training.levels import active_level

RATE = SPEC.sample_rate_hz
GAP_S = (0.15, 0.6)  # of silence between two recordings that are joined
FADE = 80  # samples
STEP = 160  # samples, the grid of the search for pauses
PAUSE_DB = 35.0  # below the level of every prepared reference
MIN_SPEECH_SHARE = 0.3  # of a passage
QUIETEST_LEVEL = 10 ** (-60 / 20)  # of an unlabelled recording: below it, there is hardly speech
MIN_UNLABELLED_S = 1.0
MOST_DRAWS = 1000
SYNTHETIC_SHARE = 0.25  # of the passages drawn, at most


@dataclass(frozen=True)
class Passage:
    """Speech (n,) float32 at 16 kHz, its speakers and its source files.

    ``is_reference`` is False for a recording of any quality, which PESQ must not compare with.
    """

    samples: np.ndarray
    speakers: list[str]
    files: list[str]
    is_reference: bool = True


class SpeechPool:
    """One split's references: draws a corpus by the square root of its size, then a speaker, then files."""

    def __init__(self, references: list[Reference], synthetic: set[str], *, by_speakers: bool) -> None:
        """A corpus's size is its number of speakers, or its hours.

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
        is_synthetic = np.array([name in synthetic for name in self._names])
        if is_synthetic.any() and not is_synthetic.all():
            limit = SYNTHETIC_SHARE / (1 - SYNTHETIC_SHARE) * weights[~is_synthetic].sum()
            weights[is_synthetic] *= min(1.0, limit / weights[is_synthetic].sum())
        self._weights = weights / weights.sum()

    def draw(self, generator: np.random.Generator, seconds: float) -> Passage:
        """About ``seconds`` of one speaker, cut in pauses where there are any; at least 30 % is speech."""
        while True:
            speaker, chosen = self._recordings(generator, seconds)
            samples = _cropped(_joined(chosen, generator), round(seconds * RATE), generator)
            loud = _speech_blocks(samples)
            if len(loud) and np.mean(loud) >= MIN_SPEECH_SHARE:
                return Passage(samples, [speaker], [reference.source for reference in chosen])

    def passage(self, generator: np.random.Generator, length: int) -> np.ndarray:
        """(length,) of one speaker, cut anywhere: a voice for babble."""
        _, chosen = self._recordings(generator, length / RATE)
        samples = np.resize(_joined(chosen, generator), length)
        return np.roll(samples, int(generator.integers(length)))

    def _recordings(self, generator: np.random.Generator, seconds: float) -> tuple[str, list[Reference]]:
        corpus = self._corpora[self._names[generator.choice(len(self._names), p=self._weights)]]
        speaker = sorted(corpus)[generator.integers(len(corpus))]
        order = generator.permutation(len(corpus[speaker]))
        chosen: list[Reference] = []
        total = 0.0
        while total < seconds:
            reference = corpus[speaker][order[len(chosen) % len(order)]]
            chosen.append(reference)
            total += reference.seconds
        return speaker, chosen


class UnlabelledPool:
    """Recordings of speech of any quality, which only a teacher can label: draws a speaker, then a file."""

    def __init__(self, files: dict[str, list[str]]) -> None:
        """``files`` are those of each speaker."""
        self._files = {speaker: sorted(paths) for speaker, paths in sorted(files.items())}
        self._speakers = list(self._files)

    def __bool__(self) -> bool:
        return bool(self._speakers)

    def draw(self, generator: np.random.Generator, seconds: float) -> Passage:
        """About ``seconds`` of one recording, at an active level of -26 dBFS or as full scale allows.

        Raises ValueError when a thousand draws find only silence or less than a second.
        """
        for _ in range(MOST_DRAWS):
            speaker = self._speakers[generator.integers(len(self._speakers))]
            path = self._files[speaker][generator.integers(len(self._files[speaker]))]
            samples = read_audio(Path(path))
            if len(samples) < MIN_UNLABELLED_S * RATE or active_level(samples) < QUIETEST_LEVEL:
                continue
            samples = _cropped(levelled(samples), round(seconds * RATE), generator)
            if active_level(samples) >= QUIETEST_LEVEL:
                return Passage(levelled(samples), [speaker], [path], is_reference=False)
        raise ValueError(
            f"{MOST_DRAWS:,} draws from the unlabelled recordings were silence or under a second, expected "
            f"speech: look at {path}, for one."
        )


def _size(corpus: dict[str, list[Reference]], by_speakers: bool) -> float:
    if by_speakers:
        return len(corpus)
    return sum(reference.seconds for references in corpus.values() for reference in references) / 3600


def _joined(chosen: list[Reference], generator: np.random.Generator) -> np.ndarray:
    pieces = []
    for reference in chosen:
        pieces += [
            load_prepared(reference.path),
            np.zeros(round(generator.uniform(*GAP_S) * RATE), np.float32),
        ]
    return np.concatenate(pieces[:-1])


def _speech_blocks(samples: np.ndarray) -> np.ndarray:
    """(n / STEP,) bool, whether each 10 ms holds speech."""
    count = len(samples) // STEP
    power = np.mean(np.square(samples[: count * STEP].reshape(count, STEP)), axis=1)
    return power > 10 ** ((LEVEL_DBFS - PAUSE_DB) / 10)


def _cropped(samples: np.ndarray, length: int, generator: np.random.Generator) -> np.ndarray:
    """About ``length`` samples, cut in pauses where there are any within half a second."""
    if len(samples) > length:
        quiet = np.flatnonzero(~_speech_blocks(samples)) * STEP
        start = _nearest(quiet, int(generator.integers(len(samples) - length + 1)))
        end = _nearest(quiet, min(start + length, len(samples)))
        samples = samples[start:end] if end - start > length // 2 else samples[start : start + length]
    return faded(samples)


def faded(samples: np.ndarray) -> np.ndarray:
    """A copy of (n,) samples with fades of 5 ms at both ends, so that cuts do not click."""
    samples = samples.copy()
    samples[:FADE] *= np.linspace(0, 1, FADE, dtype=np.float32)
    samples[-FADE:] *= np.linspace(1, 0, FADE, dtype=np.float32)
    return samples


def _nearest(quiet: np.ndarray, at: int) -> int:
    if not len(quiet):
        return at
    found = int(quiet[np.argmin(np.abs(quiet - at))])
    return found if abs(found - at) <= RATE // 2 else at
