"""The library: ``score`` for one recording, ``Scorer`` for many."""

import io
import math
import os
import select
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, TypedDict, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.array_source import AudioArray
from aqscore.config import Runtime, ScorerConfig
from aqscore.deadline import Deadline
from aqscore.errors import BadRequest, LimitExceeded, ObjectNotFound, PermanentError, RetryableError
from aqscore.limits import Limits
from aqscore.model.loading import load_model
from aqscore.pipeline import ScoreOptions, score_recording
from aqscore.report import ErrorRecord, FileSource, Report
from aqscore.scorer_pool import results_in_order

type Source = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | NDArray[np.floating[Any]]

COPY_BYTES = 1 << 20
WAIT_S = 60.0  # a longer wait for a pipe is taken in parts


class Options(TypedDict, total=False):
    """The options of Scorer.score."""

    sample_rate_hz: int | None
    channels: Literal["mix", "split"]
    frames: bool
    start_s: float
    end_s: float
    time_limit_s: float


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
        ``time_limit_s`` seconds, which include the time to read a pipe to its end. Only an object without a
        file descriptor whose ``read`` blocks can take longer.
        """
        options = ScoreOptions(channels, frames, start_s, end_s)
        deadline = Deadline(time_limit_s)
        with _opened(source, sample_rate_hz, self._config.limits.max_bytes, deadline) as (name, audio):
            scores = score_recording(audio, self._config, options, deadline)
        return Report(source=FileSource(file=name), **dict(scores))

    def score_many(
        self, sources: Iterable[Source], *, jobs: int | None = None, **options: Unpack[Options]
    ) -> Iterator[Report | ErrorRecord]:
        """Scores many recordings, ``jobs`` at a time, by default one for each core that this process may use.

        Yields a result for each source, in the order given, as soon as it and those before it are there: an
        ErrorRecord where ``score`` would raise a PermanentError or a RetryableError. ``options`` are those
        of ``score``, for all. A result is that of ``score`` to the last digit, whatever the other sources
        and ``jobs`` are; ``timing`` alone differs. Open files can't be scored in this way.

        With ``jobs=1``, or for one source, the recordings are scored in this process, each when its result
        is asked for. Otherwise each job is a process of its own with ``threads`` threads, started at the
        first result. Processes are ended when the iterator is exhausted, closed, or left by an exception. A
        recording whose process dies gets the error ``scorer_lost``; the others are scored by a new one.

        Raises BadRequest for wrong options, and SetupError when a process can't load the model.
        """
        if jobs is None:
            jobs = max(1, _cores() // self._config.threads)
        if not isinstance(jobs, int) or jobs < 1:
            raise BadRequest(f"jobs is {jobs!r}, expected a whole number above 0.")
        if unknown := options.keys() - Options.__annotations__.keys():
            raise BadRequest(
                f"Unknown options: {', '.join(sorted(unknown))}, expected those of Scorer.score."
            )
        ScoreOptions(
            options.get("channels", "mix"), True, options.get("start_s", 0.0), options.get("end_s", math.inf)
        )
        return self._results(sources, jobs, options)

    def _results(
        self, sources: Iterable[Source], jobs: int, options: Options
    ) -> Iterator[Report | ErrorRecord]:
        """As score_many, whose arguments are checked."""
        named = ((_name_of(source), source) for source in sources)
        first = list(islice(named, jobs))
        if len(first) > 1:
            sendable = ((name, _sendable(source)) for name, source in chain(first, named))
            yield from results_in_order(sendable, len(first), self._config, options)
            return
        for name, source in chain(first, named):
            yield result_of(self, name, source, options)


def result_of(scorer: Scorer, name: str, source: Any, options: Options) -> Report | ErrorRecord:
    """The report, or the record of the error under the source's name. Raises SetupError."""
    try:
        if source is None or hasattr(source, "read"):
            raise BadRequest(
                "An open file can't be one of many sources: another process can't read it.",
                advice="Pass its path or its bytes.",
            )
        return scorer.score(source, **options)
    except (PermanentError, RetryableError) as error:
        return ErrorRecord.of(error, FileSource(file=name))


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


def _cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _name_of(source: Source) -> str:
    """The name of a source in its report."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    if isinstance(source, np.ndarray):
        return "array"
    if isinstance(source, bytes | bytearray | memoryview):
        return "bytes"
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "file"


def _sendable(source: Source) -> Any:
    """The source as another process can take it, None for an open file."""
    if isinstance(source, os.PathLike):
        return os.fspath(source)
    if isinstance(source, memoryview):
        return bytes(source)
    return None if hasattr(source, "read") else source


@contextmanager
def _opened(
    source: Source, sample_rate_hz: int | None, max_bytes: int, deadline: Deadline
) -> Iterator[tuple[str, BinaryIO | AudioArray]]:
    """The name of the source in its report, and the source as the pipeline takes it."""
    name = _name_of(source)
    if isinstance(source, np.ndarray):
        if sample_rate_hz is None:
            raise BadRequest(
                "The sample rate of the array is missing, expected sample_rate_hz.",
                advice="Call score(samples, sample_rate_hz=16_000), with the rate of the samples.",
            )
        yield name, AudioArray(source, sample_rate_hz)
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
        with _open_path(source) as file, _with_descriptor(file, max_bytes, deadline) as readable:
            yield name, readable
    elif isinstance(source, bytes | bytearray | memoryview):
        with _temporary_copy(io.BytesIO(source), max_bytes, deadline) as copy:
            yield name, copy
    else:
        with _with_descriptor(source, max_bytes, deadline) as readable:
            yield name, readable


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
def _with_descriptor(file: IO[bytes], max_bytes: int, deadline: Deadline) -> Iterator[BinaryIO]:
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
    if seekable and _is_of_the_system(file):
        yield cast(BinaryIO, file)
        return
    if seekable:
        file.seek(0)
    with _temporary_copy(file, max_bytes, deadline) as copy:
        yield copy


def _is_of_the_system(file: IO[bytes]) -> bool:
    """Whether its bytes are those behind its descriptor: a file, a pipe or a device."""
    buffered = getattr(file, "file", file)  # of tempfile's wrappers
    return isinstance(getattr(buffered, "raw", buffered), io.FileIO)


@contextmanager
def _temporary_copy(file: IO[bytes], max_bytes: int, deadline: Deadline) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as copy:
        copied = 0
        while chunk := _next_chunk(file, deadline):
            copied += len(chunk)
            if copied > max_bytes:
                raise LimitExceeded(f"The file has more than {max_bytes:,} bytes, which is the limit.")
            copy.write(chunk)
        yield cast(BinaryIO, copy)


def _next_chunk(file: IO[bytes], deadline: Deadline) -> bytes:
    """The next bytes of a file, none at its end. Raises OutOfTime."""
    deadline.check()
    if not _is_of_the_system(file) or not hasattr(select, "poll"):
        return file.read(COPY_BYTES)
    waiting = select.poll()  # for a pipe or a terminal, from which a read may wait for ever
    waiting.register(file.fileno(), select.POLLIN)
    while not waiting.poll(1000 * max(0.0, min(deadline.remaining_s, WAIT_S))):
        deadline.check()
    read_some = getattr(file, "read1", file.read)  # read() waits until that many bytes are there
    chunk: bytes = read_some(COPY_BYTES)
    return chunk
