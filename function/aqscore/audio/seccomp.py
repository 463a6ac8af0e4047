"""The system calls that a decoder worker may make: a seccomp filter for Linux on x86-64 and arm64.

An allow-list. Any other call fails with EPERM, as if the user lacked the permission, so that a library can
carry on without it. There is no call that opens a file, makes a socket, starts a process or a thread, or
reaches another process. seccomp(2); Linux, include/uapi/linux/filter.h, seccomp.h and audit.h.
"""

import ctypes
import errno
import mmap
import os
import platform
import struct
import sys
from dataclasses import dataclass

# What the allocator, NumPy, libsndfile, FFmpeg and the interpreter use between two requests. A call that one
# of the two machines lacks has the number None. Linux, arch/x86/entry/syscalls/syscall_64.tbl and
# include/uapi/asm-generic/unistd.h.
ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "readv": (19, 65),
    "pread64": (17, 67),
    "write": (1, 64),
    "writev": (20, 66),
    "lseek": (8, 62),
    "close": (3, 57),
    "fstat": (5, 80),
    "newfstatat": (262, 79),  # how the C library calls fstat
    "poll": (7, None),
    "ppoll": (271, 73),
    "brk": (12, 214),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "futex": (202, 98),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getcpu": (309, 168),
    "sysinfo": (99, 179),
    "uname": (63, 160),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "getrusage": (98, 165),
    "times": (100, 153),
    "time": (201, None),
    "gettimeofday": (96, 169),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "getrandom": (318, 278),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
# Allowed where an argument has a certain value: no executable memory, signals to this process only.
MMAP, MPROTECT = (9, 222), (10, 226)
KILL, TGKILL = (62, 129), (234, 131)
FCNTL = (72, 25)
FCNTL_COMMANDS = (1, 2, 3)  # F_GETFD, F_SETFD, F_GETFL: not F_SETOWN, by which the kernel sends signals

AUDIT_ARCHITECTURES = {"x86_64": (0xC000_003E, 0), "aarch64": (0xC000_00B7, 1)}
SECCOMP = {"x86_64": 317, "aarch64": 277}  # the number of the call itself
SET_MODE_FILTER = 1
# Without this flag a kernel before 5.16 slows the process down, to protect it from code that it runs itself.
FLAG_SPEC_ALLOW = 4
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
LOAD, JUMP_EQUAL, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06  # of the kernel's packet filter language
ALLOW, KILL_PROCESS = 0x7FFF_0000, 0x8000_0000
REFUSE = 0x0005_0000 | errno.EPERM


@dataclass(frozen=True)
class Instruction:
    """One instruction of the filter, ``struct sock_filter``; jumps count from the next instruction."""

    code: int
    value: int
    if_true: int = 0
    if_false: int = 0

    def packed(self) -> bytes:
        return struct.pack("=HBBI", self.code, self.if_true, self.if_false, self.value)


def filter_program(machine: str, pid: int) -> list[Instruction]:
    """The filter for a machine, "x86_64" or "aarch64", and the process ``pid``.

    Raises OSError on any other machine.
    """
    if machine not in AUDIT_ARCHITECTURES or sys.byteorder != "little":
        raise OSError(errno.ENOSYS, f"no list of system calls for {machine}")
    architecture, column = AUDIT_ARCHITECTURES[machine]
    program = [
        Instruction(LOAD, ARCHITECTURE),
        Instruction(JUMP_EQUAL, architecture, if_true=1),
        Instruction(RETURN, KILL_PROCESS),
        Instruction(LOAD, NUMBER),
    ]
    for numbers in ALLOWED.values():
        number = numbers[column]
        if number is not None:
            program += [Instruction(JUMP_EQUAL, number, if_false=1), Instruction(RETURN, ALLOW)]
    for numbers in (MMAP, MPROTECT):
        program += _with_argument(
            numbers[column], 2, [Instruction(JUMP_ANY_BIT, mmap.PROT_EXEC, if_false=1)], allow_on_match=False
        )
    for numbers in (KILL, TGKILL):
        program += _with_argument(numbers[column], 0, [Instruction(JUMP_EQUAL, pid, if_false=1)])
    commands = [Instruction(JUMP_EQUAL, command, if_false=1) for command in FCNTL_COMMANDS]
    program += _with_argument(FCNTL[column], 1, commands)
    return [*program, Instruction(RETURN, REFUSE)]


def _with_argument(
    number: int, argument: int, tests: list[Instruction], *, allow_on_match: bool = True
) -> list[Instruction]:
    """Instructions for one system call: a verdict for each test that its argument passes, else the other one.

    Only the lower half of the argument counts, as in the calls that are filtered in this way: it is an int.
    """
    on_match, otherwise = (ALLOW, REFUSE) if allow_on_match else (REFUSE, ALLOW)
    body = [Instruction(LOAD, ARGUMENTS + 8 * argument)]
    for test in tests:
        body += [test, Instruction(RETURN, on_match)]
    body.append(Instruction(RETURN, otherwise))
    return [Instruction(JUMP_EQUAL, number, if_false=len(body)), *body]


def apply_filter() -> None:
    """Restricts this process, which must have no_new_privs, for good. Raises OSError when it can't."""
    machine = platform.machine()
    program = filter_program(machine, os.getpid())
    code = ctypes.create_string_buffer(b"".join(each.packed() for each in program))

    class Program(ctypes.Structure):  # struct sock_fprog
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    whole = Program(len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(SECCOMP[machine], SET_MODE_FILTER, FLAG_SPEC_ALLOW, ctypes.byref(whole)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
