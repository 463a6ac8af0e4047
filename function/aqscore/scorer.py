"""The library: ``score`` for one recording, ``Scorer`` for many."""

import io
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, cast

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.array_source import AudioArray
from aqscore.config import Runtime, ScorerConfig
from aqscore.errors import BadRequest, LimitExceeded, ObjectNotFound, SetupError
from aqscore.limits import Limits
from aqscore.model.loading import load_model
from aqscore.pipeline import ScoreOptions, score_recording
from aqscore.report import FileSource, Report

type Source = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | NDArray[np.floating[Any]]

COPY_BYTES = 1 << 20
MAX_LIMIT = 10**12


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
        Raises SetupError when an argument is out of range, or the model is missing, damaged, or made for
        another version.
        """
        defaults = ScorerConfig()
        self._config = ScorerConfig(
            model_dir=defaults.model_dir if model is None else Path(model),
            runtime=runtime,
            threads=threads,
            limits=limits or defaults.limits,
        )
        _check_limits(self._config.limits)
        if not isinstance(threads, int) or threads < 1:
            raise SetupError(f"threads is {threads!r}, expected a whole number above 0.")
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
        with _opened(source, sample_rate_hz, self._config.limits.max_bytes) as (name, audio):
            scores = score_recording(audio, self._config, options, time_limit_s)
        return Report(source=FileSource(file=name), **dict(scores))


def score(
    source: Source,
    *,
    sample_rate_hz: int | None = None,
    channels: Literal["mix", "split"] = "mix",
    frames: bool = True,
    start_s: float = 0.0,
    end_s: float = math.inf,
    time_limit_s: float = math.inf,
) -> Report:
    """Scores one recording with the shipped model, which stays loaded. See Scorer.score."""
    return _default_scorer().score(
        source,
        sample_rate_hz=sample_rate_hz,
        channels=channels,
        frames=frames,
        start_s=start_s,
        end_s=end_s,
        time_limit_s=time_limit_s,
    )


@cache
def _default_scorer() -> Scorer:
    return Scorer()


def _check_limits(limits: Limits) -> None:
    """Raises SetupError for a limit that no recording or no system could keep to."""
    for field in fields(limits):
        value, whole = getattr(limits, field.name), field.type in (int, "int")
        if not isinstance(value, int if whole else int | float) or not 0 < value <= MAX_LIMIT:
            kind = "a whole number" if whole else "a number"
            raise SetupError(
                f"The limit {field.name} is {value!r}, expected {kind} above 0, up to {MAX_LIMIT:,}.",
                advice="Leave it out for its default, or give a large number for no practical limit.",
            )


@contextmanager
def _opened(
    source: Source, sample_rate_hz: int | None, max_bytes: int
) -> Iterator[tuple[str, BinaryIO | AudioArray]]:
    """The name of the source in its report, and the source as the pipeline takes it."""
    if isinstance(source, np.ndarray):
        if sample_rate_hz is None:
            raise BadRequest(
                "The sample rate of the array is missing, expected sample_rate_hz.",
                advice="Call score(samples, sample_rate_hz=16_000), with the rate of the samples.",
            )
        yield "array", AudioArray(source, sample_rate_hz)
        return
    named_or_whole = isinstance(source, str | os.PathLike | bytes | bytearray | memoryview)
    if not named_or_whole and not hasattr(source, "read"):
        raise BadRequest(
            f"A source of type {type(source).__name__} can't be scored, expected a path, bytes, an open "
            "binary file or a NumPy array of floats.",
            advice="Make an array of samples with numpy.asarray(samples, numpy.float32).",
        )
    if sample_rate_hz is not None:
        raise BadRequest(
            "sample_rate_hz was given with a file, which states its own sample rate.",
            advice="Leave it out, or pass the samples as an array.",
        )
    if isinstance(source, str | os.PathLike):
        with _open_path(source) as file, _with_descriptor(file, max_bytes) as readable:
            yield os.fspath(source), readable
    elif isinstance(source, bytes | bytearray | memoryview):
        with _temporary_copy(io.BytesIO(source), max_bytes) as copy:
            yield "bytes", copy
    else:
        name = getattr(source, "name", None)
        with _with_descriptor(source, max_bytes) as readable:
            yield name if isinstance(name, str) else "file", readable


def _open_path(path: str | os.PathLike[str]) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ObjectNotFound(
            f"{os.fspath(path)} can't be opened ({reason}), expected a file.",
            advice="Check the path and its permissions.",
        ) from None


@contextmanager
def _with_descriptor(file: IO[bytes], max_bytes: int) -> Iterator[BinaryIO]:
    """The file itself where a decoder worker can read it by its descriptor, else a copy on disk.

    The descriptor of a compressed file or of a member of an archive is that of the file around it.
    """
    if isinstance(getattr(file, "file", file), io.TextIOBase):
        raise BadRequest("The file is open in text mode, expected binary mode.", advice='Open it with "rb".')
    try:
        readable, seekable = file.readable(), file.seekable()
    except ValueError:
        raise BadRequest("The file is closed, expected an open file.", advice="Open it again.") from None
    except AttributeError:  # an object with no more than read()
        readable, seekable = True, False
    if not readable:
        raise BadRequest("The file is open for writing only.", advice='Open it with "rb".')
    if seekable and _is_on_disk(file):
        yield cast(BinaryIO, file)
        return
    if seekable:
        file.seek(0)
    with _temporary_copy(file, max_bytes) as copy:
        yield copy


def _is_on_disk(file: IO[bytes]) -> bool:
    buffered = getattr(file, "file", file)  # of tempfile's wrappers
    return isinstance(getattr(buffered, "raw", buffered), io.FileIO)


@contextmanager
def _temporary_copy(file: IO[bytes], max_bytes: int) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as copy:
        copied = 0
        while chunk := file.read(COPY_BYTES):
            copied += len(chunk)
            if copied > max_bytes:
                raise LimitExceeded(f"The file has more than {max_bytes:,} bytes, which is the limit.")
            copy.write(chunk)
        yield cast(BinaryIO, copy)
