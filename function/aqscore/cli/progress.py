"""The progress bar on standard error: done of all, rate, time left."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text


class Advance(Protocol):
    """Called once for each result."""

    def __call__(self) -> None: ...


class _Rate(ProgressColumn):
    """Recordings a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.{1 if speed < 10 else 0}f}/s", style="dim")


@contextmanager
def progress_bar(console: Console, total: int, *, shown: bool) -> Iterator[Advance]:
    """A bar that disappears at the end, and never takes the output."""
    bar = Progress(
        "Scoring", BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn(compact=True),
        console=console, transient=True, disable=not shown, redirect_stdout=False, redirect_stderr=False,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)
