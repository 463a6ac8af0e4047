"""The scorer workers of ``Scorer.score_many``: several processes, with their results in the order given.

Processes are started afresh, never forked: a fork while another thread scores may hang in ONNX Runtime.
They don't import the caller's main module, so that a script needs no ``if __name__ == "__main__"``, and
notebooks and programs on standard input work.
"""

import os
import pickle
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from itertools import islice
from queue import SimpleQueue
from typing import Any

from aqscore.audio.worker_handle import python_path
from aqscore.config import ScorerConfig
from aqscore.errors import ScorerLost
from aqscore.report import ErrorRecord, FileSource, Report

AHEAD = 16  # recordings for each process that may be under way or done when the oldest result is taken

type Result = Report | ErrorRecord
type NamedSource = tuple[str, Any]  # the name in the report, and the source as Scorer.score takes it


class ScorerProcess:
    """A scorer worker, which one thread asks. One that has ended is replaced at the next recording."""

    def __init__(self, config: ScorerConfig, options: Mapping[str, Any]) -> None:
        """Starts nothing yet. ``options`` are those of Scorer.score."""
        self._config = config
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._killed = False

    def score(self, source: NamedSource) -> Result:
        """The result of a source; an ErrorRecord too where the process ends before it answers.

        Raises SetupError when the process can't load the model.
        """
        try:
            if self._process is None:
                self._process = self._started()
                self._exchange((self._config, self._options))
            result: Result = self._exchange(source)
        except ScorerLost as error:
            return ErrorRecord.of(error, FileSource(file=source[0]))
        return result

    def kill(self) -> None:
        """Ends the process, whatever it does. Any thread may call it."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def finish(self) -> None:
        """Ends the process and frees its pipes."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # a request that the process never read
                pipe and pipe.close()
        self._process = None

    def _started(self) -> "subprocess.Popen[bytes]":
        with self._lock:  # none starts after kill()
            if self._killed:
                raise ScorerLost("The process that scores was ended.")
            try:
                return subprocess.Popen(
                    [sys.executable, "-P", "-m", "aqscore.scorer_worker"],
                    env=os.environ | {"PYTHONPATH": python_path(), "OPENBLAS_NUM_THREADS": "1"},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            except OSError as error:
                raise ScorerLost(f"No process could be started to score in ({error}).") from error

    def _exchange(self, message: Any) -> Any:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        request = pickle.dumps(message)
        try:
            process.stdin.write(request)
            process.stdin.flush()
            answer = pickle.load(process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError):
            self.finish()
            raise ScorerLost(f"The process that scored it ended with status {process.returncode}.") from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def results_in_order(
    sources: Iterable[NamedSource], jobs: int, config: ScorerConfig, options: Mapping[str, Any]
) -> Iterator[Result]:
    """Yields the result of each source, in order, from ``jobs`` processes, each as soon as it is there.

    The processes are killed when the iterator is closed, or an exception such as KeyboardInterrupt leaves
    it. Raises SetupError.
    """
    tasks: SimpleQueue[tuple[Future[Result], NamedSource] | None] = SimpleQueue()
    waiting: deque[Future[Result]] = deque()
    processes = [ScorerProcess(config, options) for _ in range(jobs)]
    # Daemons: a program that ends without closing the iterator doesn't wait for recordings under way.
    threads = [threading.Thread(target=_serve, args=(tasks, each), daemon=True) for each in processes]
    for thread in threads:
        thread.start()
    remaining = iter(sources)

    def submit(count: int) -> None:
        for source in islice(remaining, count):
            waiting.append(Future())
            tasks.put((waiting[-1], source))

    try:
        submit(AHEAD * jobs)
        while waiting:
            yield waiting.popleft().result()
            submit(1)
    finally:
        for future in waiting:
            future.cancel()
        for process in processes:
            tasks.put(None)
            process.kill()
        if not sys.is_finalizing():  # at the end of the program, daemon threads have stopped already
            for thread in threads:
                thread.join()


def _serve(tasks: SimpleQueue[tuple[Future[Result], NamedSource] | None], process: ScorerProcess) -> None:
    """Scores the sources of the queue in a process, up to the None that ends it."""
    while (task := tasks.get()) is not None:
        future, source = task
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(process.score(source))
            except BaseException as error:
                future.set_exception(error)
    process.finish()
