"""The library: ``score`` for one recording, ``Scorer`` for many."""

import io
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.array_source import AudioArray
from aqscore.config import Runtime, ScorerConfig
from aqscore.errors import BadRequest, ObjectNotFound
from aqscore.limits import Limits
from aqscore.model.loading import load_model
from aqscore.pipeline import ScoreOptions, score_recording
from aqscore.report import FileSource, Report

type Source = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | NDArray[np.floating[Any]]


class Scorer:
    """Loads a model once and scores many recordings. Threads may share one scorer."""

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        runtime: Runtime = "onnx",
        threads: int = 1,
        limits: Limits | None = None,
    ) -> None:
        """Loads the model in the folder ``model``, by default the one that comes with the package.

        ``threads`` is the number of threads that the network may use. ``limits`` bounds each recording.
        Raises SetupError when the model is missing, damaged, or made for another version.
        """
        defaults = ScorerConfig()
        self._config = ScorerConfig(
            model_dir=defaults.model_dir if model is None else Path(model),
            runtime=runtime,
            threads=threads,
            limits=limits or defaults.limits,
        )
        load_model(self._config)

    @classmethod
    def from_config(cls, config: ScorerConfig) -> "Scorer":
        """A scorer of that configuration; raises as the constructor does."""
        return cls(config.model_dir, runtime=config.runtime, threads=config.threads, limits=config.limits)

    def score(
        self,
        source: Source,
        *,
        sample_rate_hz: int | None = None,
        channels: Literal["mix", "split"] = "mix",
        frames: bool = True,
        start_s: float = 0.0,
        end_s: float = math.inf,
        time_limit_s: float = math.inf,
    ) -> Report:
        """Scores one recording.

        ``source`` is a path, the bytes of a file, an open binary file (scored from its beginning, or, where
        it can't be rewound, from its current position), or a float array of shape (n,) or (n, channels),
        full scale 1.0, with its ``sample_rate_hz``. ``channels="split"`` scores each channel as well as
        their mix. ``frames=False`` leaves the scores of single frames out. ``start_s`` and ``end_s`` choose
        a part, in seconds from the beginning.

        Raises a PermanentError of aqscore.errors when the recording can't be scored, and OutOfTime after
        ``time_limit_s`` seconds.
        """
        options = ScoreOptions(channels, frames, start_s, end_s)
        with _opened(source, sample_rate_hz) as (name, audio):
            scores = score_recording(audio, self._config, options, time_limit_s)
        return Report(source=FileSource(file=name), **dict(scores))


def score(source: Source, **options: Any) -> Report:
    """Scores one recording with the shipped model, which stays loaded. Takes the options of Scorer.score."""
    return _default_scorer().score(source, **options)


@cache
def _default_scorer() -> Scorer:
    return Scorer()


@contextmanager
def _opened(source: Source, sample_rate_hz: int | None) -> Iterator[tuple[str, BinaryIO | AudioArray]]:
    """The name of the source in its report, and the source as the pipeline takes it."""
    if isinstance(source, np.ndarray):
        if sample_rate_hz is None:
            raise BadRequest(
                "The sample rate of the array is missing, expected sample_rate_hz.",
                advice="Call score(samples, sample_rate_hz=16_000), with the rate of the samples.",
            )
        yield "array", AudioArray(source, sample_rate_hz)
        return
    if sample_rate_hz is not None:
        raise BadRequest(
            "sample_rate_hz was given with a file, which states its own sample rate.",
            advice="Leave it out, or pass the samples as an array.",
        )
    if isinstance(source, str | os.PathLike):
        with _open_path(source) as file:
            yield os.fspath(source), file
    elif isinstance(source, bytes | bytearray | memoryview):
        with _temporary_copy(io.BytesIO(source)) as file:
            yield "bytes", file
    elif hasattr(source, "read"):
        name = getattr(source, "name", None)
        with _with_descriptor(source) as file:
            yield name if isinstance(name, str) else "file", file
    else:
        raise BadRequest(
            f"A {type(source).__name__} can't be scored, expected a path, bytes, an open binary file or a "
            "NumPy array of floats."
        )


def _open_path(path: str | os.PathLike[str]) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise ObjectNotFound(
            f"{os.fspath(path)} can't be opened ({error.strerror}), expected a file.",
            advice="Check the path and its permissions.",
        ) from None


@contextmanager
def _with_descriptor(file: IO[bytes]) -> Iterator[BinaryIO]:
    """The file itself where the decoder worker can read it by its descriptor, else a copy on disk."""
    if isinstance(file, io.TextIOBase):
        raise BadRequest("The file is open in text mode, expected binary mode.", advice='Open it with "rb".')
    try:
        rewindable = file.seekable() and file.fileno() >= 0
    except (OSError, AttributeError):
        rewindable = False
    if rewindable:
        yield file  # type: ignore[misc]
        return
    with _temporary_copy(file) as copy:
        yield copy


@contextmanager
def _temporary_copy(file: IO[bytes]) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        yield copy
