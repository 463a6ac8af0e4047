"""A part of a file, with some of its bytes replaced, as a file of its own."""

import io
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

BLOCK_BYTES = 1 << 16  # read at a time
ENDLESS_BYTES = 1 << 40
END_TAG_BYTES = 128  # in which libmpg123 looks for an ID3v1 tag


class FileView(io.RawIOBase):
    """The bytes from ``start`` to ``end`` of the file behind a descriptor. Reads only, and leaves it open."""

    def __init__(
        self,
        descriptor: int,
        start: int = 0,
        end: int | None = None,
        replaced: Mapping[int, bytes] | None = None,
        *,
        endless: bool = False,
    ) -> None:
        """``replaced`` maps offsets from ``start`` to other bytes.

        An ``endless`` view claims to be far longer than it is: for decoders that stop at the length that
        they estimate from the size.
        """
        file_bytes = os.fstat(descriptor).st_size
        self.descriptor = descriptor
        self.start = min(start, file_bytes)
        self.end = max(self.start, file_bytes if end is None else min(end, file_bytes))
        self.size = self.end - self.start
        self.is_whole_file = self.start == 0 and self.end == file_bytes and not replaced and not endless
        self._replaced = dict(replaced or {})
        self._claimed = ENDLESS_BYTES if endless else self.size
        self._position = 0
        self._block, self._block_start = b"", 0

    def part(self, start: int, end: int | None = None, **options: Any) -> "FileView":
        """The bytes from ``start`` to ``end`` of this view, which has no replaced bytes of its own."""
        stop = self.end if end is None else min(self.start + end, self.end)
        return FileView(self.descriptor, self.start + start, stop, **options)

    def at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset`` on, fewer at the end. The position stays."""
        if offset < 0:
            return b""
        if not self._block_start <= offset <= self._block_start + len(self._block) - length:
            self._block = self._read_file(offset, max(length, BLOCK_BYTES))
            self._block_start = offset
        first = offset - self._block_start
        return self._block[first : first + length]

    def find(self, pattern: bytes, start: int) -> Iterator[int]:
        """The offsets of a pattern, from ``start`` on."""
        step = 1 << 20
        while start < self.size:
            block = self._read_file(start, step + len(pattern) - 1)
            at = block.find(pattern)
            while 0 <= at < step:
                yield start + at
                at = block.find(pattern, at + 1)
            start += step

    @property
    def reached(self) -> int:
        """The offset in the file behind what was read last, through this view or directly."""
        direct = os.lseek(self.descriptor, 0, os.SEEK_CUR) if self.is_whole_file else 0
        return max(self.start + self._position, direct)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._claimed}[whence]
        if base + offset < 0:
            raise OSError("negative position")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        if self._claimed > self.size and self._position >= self._claimed - END_TAG_BYTES:
            data = bytes(len(target))  # no tag
        else:
            data = self.at(self._position, len(target))
        target[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _read_file(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        block = _read_at(self.descriptor, self.start + offset, length)
        for at, value in self._replaced.items():
            first, last = max(at, offset), min(at + len(value), offset + len(block))
            if first < last:
                block = block[: first - offset] + value[first - at : last - at] + block[last - offset :]
        return block


def _read_at(descriptor: int, offset: int, length: int) -> bytes:
    """Up to ``length`` bytes from ``offset`` on. Keeps the descriptor's position, except in Windows."""
    if sys.platform == "win32":
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, length)
    return os.pread(descriptor, length, offset)
