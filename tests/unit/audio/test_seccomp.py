"""The filter of system calls on each machine, run by a small interpreter of its language."""

import pytest

from aqscore.audio.seccomp import (
    ALLOW,
    ALLOWED,
    ARCHITECTURE,
    ARGUMENTS,
    AUDIT_ARCHITECTURES,
    FCNTL,
    JUMP_ANY_BIT,
    JUMP_EQUAL,
    KILL,
    KILL_PROCESS,
    LOAD,
    MMAP,
    MPROTECT,
    NUMBER,
    REFUSE,
    RETURN,
    TGKILL,
    filter_program,
)

PID = 4242
# openat, socket, clone, execve, ptrace, io_uring_setup, truncate, ftruncate, prctl, seccomp, setrlimit
FORBIDDEN = {
    "x86_64": (257, 41, 56, 59, 101, 425, 76, 77, 157, 317, 160),
    "aarch64": (56, 198, 220, 221, 117, 425, 45, 46, 167, 277, 164),
}


def verdict(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    data = {NUMBER: number, ARCHITECTURE: architecture or AUDIT_ARCHITECTURES[machine][0]}
    data |= {ARGUMENTS + 8 * at: value for at, value in enumerate((*arguments, 0, 0, 0, 0))}
    program, at, loaded = filter_program(machine, PID), 0, 0
    while True:
        instruction = program[at]
        at += 1
        match instruction.code:
            case code if code == LOAD:
                loaded = data[instruction.value]
            case code if code == RETURN:
                return instruction.value
            case code if code in (JUMP_EQUAL, JUMP_ANY_BIT):
                value = instruction.value
                true = loaded == value if code == JUMP_EQUAL else bool(loaded & value)
                at += instruction.if_true if true else instruction.if_false


@pytest.mark.parametrize("machine", AUDIT_ARCHITECTURES)
def test_what_is_listed_is_allowed_and_nothing_else(machine):
    column = AUDIT_ARCHITECTURES[machine][1]
    listed = {numbers[column] for numbers in ALLOWED.values()} - {None}
    assert listed.isdisjoint(FORBIDDEN[machine])
    conditional = {numbers[column] for numbers in (MMAP, MPROTECT, KILL, TGKILL, FCNTL)}
    for number in set(range(600)) - conditional:
        assert verdict(machine, number) == (ALLOW if number in listed else REFUSE), number


@pytest.mark.parametrize("machine", AUDIT_ARCHITECTURES)
def test_some_calls_depend_on_an_argument(machine):
    column = AUDIT_ARCHITECTURES[machine][1]
    for numbers in (MMAP, MPROTECT):
        assert verdict(machine, numbers[column], 0, 4096, 3) == ALLOW
        assert verdict(machine, numbers[column], 0, 4096, 7) == REFUSE  # executable
    for numbers in (KILL, TGKILL):
        assert verdict(machine, numbers[column], PID) == ALLOW
        for other in (PID + 1, 0, 1, 0xFFFF_FFFF):
            assert verdict(machine, numbers[column], other) == REFUSE
    assert verdict(machine, FCNTL[column], 5, 3) == ALLOW  # F_GETFL
    for command in (0, 4, 8, 10, 1024, 1030, 1033):  # F_DUPFD, F_SETFL, F_SETOWN, F_SETSIG, leases, seals
        assert verdict(machine, FCNTL[column], 5, command) == REFUSE


def test_calls_of_another_architecture_end_the_process():
    """The 32-bit calls of x86-64 have other numbers."""
    assert verdict("x86_64", 0, architecture=0x4000_0003) == KILL_PROCESS


def test_a_machine_without_a_list_is_an_error():
    with pytest.raises(OSError, match="no list of system calls for riscv64"):
        filter_program("riscv64", PID)
