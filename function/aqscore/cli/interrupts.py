"""Ctrl-C: ends a command that has nothing to keep, and never cuts the keeping of a result in two."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

EXIT_INTERRUPTED = 130  # as a shell reports SIGINT


@contextmanager
def exit_on_interrupt(clean_up: Callable[[], object] | None = None) -> Iterator[None]:
    """Inside, SIGINT ends the process at once with status 130: for imports and other preparations.

    Before, it calls ``clean_up``.
    A KeyboardInterrupt there would end in a traceback, or in an error of the library being imported.
    """

    def end(*_: object) -> None:
        if clean_up:
            clean_up()
        os.write(2, b"Interrupted.\n")
        os._exit(EXIT_INTERRUPTED)

    previous = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


class Interrupts:
    """Inside this context, SIGINT raises KeyboardInterrupt only within ``allowed``; else it is remembered."""

    def __init__(self) -> None:
        self._allowed = self._remembered = False

    def __enter__(self) -> "Interrupts":
        self._previous = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._previous)

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """For work whose result may be lost. Raises KeyboardInterrupt, also for a SIGINT that came before."""
        self._allowed = True
        try:
            if self._remembered:
                raise KeyboardInterrupt
            yield
        finally:
            self._allowed = False

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._remembered = True
        if self._allowed:
            self._allowed = False  # a second SIGINT doesn't interrupt the clean-up after the first
            raise KeyboardInterrupt
