"""The sources that the library takes: paths, bytes, open files and arrays."""

import io
import os
import select
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.array_source import AudioArray
from aqscore.deadline import Deadline
from aqscore.errors import BadRequest, LimitExceeded, ObjectNotFound

type Source = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | NDArray[np.floating[Any]]

COPY_BYTES = 1 << 20
WAIT_S = 60.0  # a longer wait for a pipe is taken in parts


def name_of(source: Source) -> str:
    """The name of a source in its report."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    if isinstance(source, np.ndarray):
        return "array"
    if isinstance(source, bytes | bytearray | memoryview):
        return "bytes"
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "file"


def sendable(source: Source) -> Any:
    """The source as another process can take it, None for an open file."""
    if isinstance(source, os.PathLike):
        return os.fspath(source)
    if isinstance(source, memoryview):
        return bytes(source)
    return None if hasattr(source, "read") else source


@contextmanager
def opened(
    source: Source, sample_rate_hz: int | None, max_bytes: int, deadline: Deadline
) -> Iterator[tuple[str, BinaryIO | AudioArray]]:
    """The name of the source in its report, and the source as the pipeline takes it."""
    name = name_of(source)
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
