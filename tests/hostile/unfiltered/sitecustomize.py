"""With this folder first in PYTHONPATH, and the one above, the system refuses to filter system calls."""

import errno

import attacks  # noqa: F401

from aqscore.audio import sandbox


def refuse() -> None:
    raise OSError(errno.EINVAL, "Invalid argument")


sandbox.apply_filter = refuse
