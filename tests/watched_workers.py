"""Decoder workers of which tests see the memory."""

import re
from contextlib import suppress
from pathlib import Path

from aqscore.audio.linux_worker import LinuxWorker, LinuxWorkers
from aqscore.audio.worker_handle import Task


class WatchedWorkers(LinuxWorkers):
    """Keeps the last task, and what the kernel knows about its worker right before it is ended."""

    task: Task | None = None
    status = ""

    def start(self, task: Task) -> LinuxWorker:
        """As LinuxWorkers.start."""
        self.task = task
        worker = super().start(task)
        end = worker.end

        def watched_end() -> str:
            self.status = ""
            with suppress(FileNotFoundError):
                self.status = Path(f"/proc/{worker.pid}/status").read_text()
            return end()

        worker.end = watched_end  # type: ignore[method-assign]
        return worker

    @property
    def peak_bytes(self) -> int:
        """The peak of the last worker's resident memory; 0 if it had crashed."""
        found = re.search(r"VmHWM:\s+(\d+) kB", self.status)
        return int(found[1]) * 1024 if found else 0
