"""The worker pool: idle workers are used again, and ended when there are too many or they died."""

import os
import signal
import time

from aqscore.audio.worker_pool import WorkerPool, default_pool, prestart_worker
from aqscore.limits import Limits

LIMITS = Limits()


def test_a_worker_that_was_given_back_is_taken_again(workers):
    workers.prestart(LIMITS)
    [worker] = workers.idle
    assert workers.take(LIMITS) is worker
    assert workers.idle == ()
    workers.give_back(worker)
    assert workers.idle == (worker,)


def test_workers_with_another_limit_of_memory_are_not_taken(workers):
    workers.prestart(LIMITS)
    other = workers.take(Limits(max_memory_bytes=100_000_000))
    assert other not in workers.idle
    other.end()


def test_a_worker_that_was_killed_while_idle_is_not_taken(workers):
    workers.prestart(LIMITS)
    [dead] = workers.idle
    os.kill(dead.pid, signal.SIGKILL)
    while dead.running:
        time.sleep(0.01)
    worker = workers.take(LIMITS)
    assert worker is not dead and worker.running
    worker.end()


def test_no_more_than_the_maximum_are_kept():
    pool = WorkerPool(max_idle=2)
    for _ in range(3):
        pool.prestart(LIMITS)
    kept = pool.idle
    assert len(kept) == 2
    pool.close()
    assert not any(worker.running for worker in kept)


def test_a_fork_does_not_use_the_workers_of_its_parent():
    prestart_worker(LIMITS)
    child = os.fork()
    if child == 0:
        os._exit(len(default_pool.idle))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert default_pool.idle[-1].running
