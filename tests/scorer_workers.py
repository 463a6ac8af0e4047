"""Scorer workers and other processes, as Linux lists them."""

import re
from contextlib import suppress
from pathlib import Path


def workers_of(parent: int) -> list[int]:
    """The process identifiers of the scorer workers of a process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            status = (folder / "status").read_text()
        except OSError:  # it has ended
            continue
        if b"aqscore.scorer_worker" in command and f"PPid:\t{parent}\n" in status:
            found.append(int(folder.name))
    return found


def is_running(group: int) -> bool:
    """Whether a process group has a process, apart from dead ones that wait for their parent."""
    fields = re.compile(rf"\d+ \(.*\) [^Z] \d+ {group} ", flags=re.S)
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            if fields.match(file.read_text()):
                return True
    return False
