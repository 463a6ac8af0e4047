"""The worker pool: what happens to its processes when they die, and in a fork."""

import os
import signal
from pathlib import Path

import pytest

from aqscore.audio.decoder_client import DecoderClient
from aqscore.audio.linux_worker import LinuxWorkers
from aqscore.audio.portable_worker import PortableWorkers
from aqscore.audio.worker_pool import default_pool
from aqscore.limits import Limits
from tests.conftest import EXAMPLES

LIMITS = Limits()
FORK_LIMIT_S = 60
CLEAN = EXAMPLES / "clean.flac"


def parent_of(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])


@pytest.fixture(params=[LinuxWorkers, PortableWorkers], ids=["linux", "portable"])
def pool(request):
    pool = request.param()
    yield pool
    pool.close()


def test_a_pool_that_was_closed_starts_again(pool):
    for _ in range(2):
        with CLEAN.open("rb") as file, DecoderClient(file, LIMITS, pool) as client:
            assert len(client.read()[0])
        pool.close()


def test_a_fork_server_that_was_killed_costs_no_recording():
    pool = LinuxWorkers()
    with CLEAN.open("rb") as file, DecoderClient(file, LIMITS, pool) as client:
        os.kill(parent_of(client.pid), signal.SIGKILL)
    with CLEAN.open("rb") as file, DecoderClient(file, LIMITS, pool) as client:
        assert len(client.read()[0])
    pool.close()


def test_a_fork_while_another_thread_uses_the_pool_starts_processes_of_its_own(pool):
    pool.prestart()
    with pool._lock:  # as another thread would hold it, which the fork doesn't have
        child = os.fork()
        if child == 0:
            signal.alarm(FORK_LIMIT_S)  # ends a child that waits for the lock
            pool.forget()
            with CLEAN.open("rb") as file, DecoderClient(file, LIMITS, pool) as client:
                decoded = len(client.read()[0]) > 0
            pool.close()
            os._exit(0 if decoded else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with CLEAN.open("rb") as file, DecoderClient(file, LIMITS, pool) as client:  # the parent's are there yet
        assert len(client.read()[0])


def test_a_fork_starts_processes_of_its_own():
    default_pool.prestart()
    with CLEAN.open("rb") as file, DecoderClient(file, LIMITS) as client:
        server = parent_of(client.pid)
    child = os.fork()
    if child == 0:
        with CLEAN.open("rb") as file, DecoderClient(file, LIMITS) as client:
            another = parent_of(client.pid) != server
        default_pool.close()
        os._exit(0 if another else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with CLEAN.open("rb") as file, DecoderClient(file, LIMITS) as client:
        assert parent_of(client.pid) == server
