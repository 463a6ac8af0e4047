"""The decoder workers of this process."""

import atexit
import os
import sys

from aqscore.audio.worker_handle import WorkerPool


def new_pool() -> WorkerPool:
    """A pool of the kind that this system supports. It starts nothing yet."""
    if sys.platform == "linux" and hasattr(os, "memfd_create"):
        from aqscore.audio.linux_worker import LinuxWorkers

        return LinuxWorkers()
    from aqscore.audio.portable_worker import PortableWorkers

    return PortableWorkers()


default_pool = new_pool()
atexit.register(default_pool.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=default_pool.forget)


def hide_secrets() -> None:
    """Keeps decoder workers from reading this process's memory where Linux doesn't filter their calls.

    For programs that hold credentials, not for the library: debuggers, profilers and core dumps of this
    process need the same access.
    """
    if sys.platform == "linux":
        from aqscore.audio.sandbox import hide_memory

        hide_memory()


def prestart_worker() -> None:
    """Prepares this process's pool for the first recording. Raises DecoderLost."""
    default_pool.prestart()
