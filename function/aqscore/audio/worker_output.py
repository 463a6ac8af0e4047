"""What a decoder worker writes to its standard error: a bounded part of it, for the log.

Codecs print warnings there by themselves, such as libmpg123.
"""

import os

MAX_OUTPUT_BYTES = 4096


class WorkerOutput:
    """A pipe that never makes its writer wait: what doesn't fit is lost."""

    def __init__(self) -> None:
        """Raises OSError."""
        self._read_end, self.write_end = os.pipe()
        for end in (self._read_end, self.write_end):
            os.set_blocking(end, False)
        self._lent = True

    def lent(self) -> None:
        """Closes the end to write to, once a process has it."""
        os.close(self.write_end)
        self._lent = False

    def read(self) -> str:
        """The first 4,096 bytes so far, in one line; empty if there are none."""
        try:
            data = os.read(self._read_end, MAX_OUTPUT_BYTES)
        except BlockingIOError:
            return ""
        lines = data.decode(errors="replace").splitlines()
        return printable(" | ".join(line.strip() for line in lines if line.strip()))

    def close(self) -> None:
        """Closes the pipe."""
        os.close(self._read_end)
        if self._lent:
            self.lent()


def printable(text: str) -> str:
    """The text with a question mark in place of each control character, which might harm a terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)
