"""What a decoder worker loses before it reads a byte of a recording, on Linux.

In order of strength: system calls (aqscore.audio.seccomp), the file system and the network (Landlock and
namespaces, where the system has them), capabilities, and limits on memory, processor time, files and
processes. None of it needs a privilege. docs/security.md lists the threats.
"""

import ctypes
import mmap
import os
import resource
import signal
import struct
from pathlib import Path

from aqscore.audio.seccomp import apply_filter

# include/uapi/linux/prctl.h, capability.h, sched.h and landlock.h
SET_PARENT_DEATH_SIGNAL, SET_DUMPABLE, SET_NO_NEW_PRIVILEGES = 1, 4, 38
CAPABILITY_VERSION_3 = 0x2008_0522
NEW_USER, NEW_NETWORK, NEW_IPC = 0x1000_0000, 0x4000_0000, 0x0800_0000
LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446
LANDLOCK_VERSION = 1
# The number of file-system rights by version of Landlock, the last for all later ones.
FILE_RIGHTS = (13, 14, 15, 15, 16)
NETWORK_SINCE, SCOPES_SINCE = 4, 6  # versions of Landlock
BIND_AND_CONNECT = 3
SOCKETS_AND_SIGNALS = 3
MAX_CPU_S = 1e9


def hide_memory() -> None:
    """Keeps other processes of the same user from reading this one's memory and environment under /proc.

    Debuggers and core dumps need the same access: they stop working.
    """
    _prctl(SET_DUMPABLE, 0)


def leave_network() -> None:
    """Moves this process, which has one thread, into a network and IPC namespace of its own.

    It keeps its user's files. Where the system has no namespaces for this user, nothing happens.
    """
    for flags in (NEW_NETWORK | NEW_IPC, NEW_USER | NEW_NETWORK | NEW_IPC):
        if ctypes.CDLL(None).unshare(flags) == 0:
            return


def confine(memory_bytes: int, cpu_s: float) -> str | None:
    """Confines this process for good: what it has open is all that it can use.

    It may add ``memory_bytes`` to its own and use ``cpu_s`` seconds of processor time. Returns the reason why
    the system refuses to filter system calls, None if it doesn't: the other measures hold nevertheless.
    """
    hide_memory()
    _prctl(SET_NO_NEW_PRIVILEGES, 1)
    _drop_capabilities()
    _prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    limits = _resource_limits(memory_bytes, cpu_s)
    _forbid_files_and_network()
    for kind, limit in limits.items():
        resource.setrlimit(kind, limit)
    try:
        apply_filter()
    except OSError as error:
        return str(error.strerror)
    return None


def _prctl(option: int, value: int) -> None:
    """prctl(2). Raises OSError."""
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _drop_capabilities() -> None:
    """Drops all capabilities. no_new_privs keeps it from getting any again. capset(2)."""
    ctypes.CDLL(None).capset(struct.pack("=Ii", CAPABILITY_VERSION_3, 0), bytes(24))


def _forbid_files_and_network() -> None:
    """Denies every file, TCP port, and process outside, if the kernel has Landlock. landlock(7)."""
    libc = ctypes.CDLL(None)
    version = libc.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_VERSION)
    if version < 1:
        return
    rights = [(1 << FILE_RIGHTS[min(version, len(FILE_RIGHTS)) - 1]) - 1]
    rights += [BIND_AND_CONNECT] if version >= NETWORK_SINCE else []
    rights += [SOCKETS_AND_SIGNALS] if version >= SCOPES_SINCE else []
    attributes = struct.pack(f"={len(rights)}Q", *rights)
    rules = libc.syscall(LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if rules >= 0:
        libc.syscall(LANDLOCK_RESTRICT_SELF, rules, 0)
        os.close(rules)


def _resource_limits(memory_bytes: int, cpu_s: float) -> dict[int, tuple[int, int]]:
    """Soft and hard limits by kind, which this process can't raise once they are set. getrlimit(2)."""
    # In pages: all memory, and data and stack, which RLIMIT_AS and RLIMIT_DATA count. proc_pid_statm(5)
    pages = Path("/proc/self/statm").read_text().split()
    all_bytes, data_bytes = (int(pages[column]) * mmap.PAGESIZE + memory_bytes for column in (0, 5))
    cpu_limit_s = int(min(cpu_s, MAX_CPU_S)) + 1
    return {
        resource.RLIMIT_AS: (all_bytes, all_bytes),
        resource.RLIMIT_DATA: (data_bytes, data_bytes),
        resource.RLIMIT_CPU: (cpu_limit_s, cpu_limit_s + 1),
        resource.RLIMIT_NPROC: (0, 0),
        resource.RLIMIT_NOFILE: (0, 0),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
    }
