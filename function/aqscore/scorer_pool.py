"""The scorer workers of ``Scorer.score_many``: several processes, with their results in the order given.

Processes are started afresh, never forked: a fork while another thread scores may hang in ONNX Runtime.
They don't import the caller's main module, so that a script needs no ``if __name__ == "__main__"``, and
notebooks and programs on standard input work.
"""

import os
import pickle
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any

from aqscore.config import ScorerConfig
from aqscore.errors import ScorerLost, SetupError
from aqscore.report import ErrorRecord, FileSource, Report
from aqscore.scorer_start import EarlyWorkers, Worker, end_worker, start_worker, usable_cores

AHEAD = 16  # recordings for each process that may be under way or done when the oldest result is taken

SHORT_BYTES = 1_000_000  # a file up to this size is scored within about a second

type Result = Report | ErrorRecord
type NamedSource = tuple[str, Any]  # the name in the report, and the source as Scorer.score takes it
type Tasks = SimpleQueue[tuple[Future[Result], NamedSource] | None]


class ScorerProcess:
    """A scorer worker, which one thread asks. One that has ended is replaced at the next recording."""

    def __init__(
        self,
        config: ScorerConfig,
        options: Mapping[str, Any],
        early: EarlyWorkers | None = None,
        core: int | None = None,
    ) -> None:
        """Starts nothing yet. ``options`` are those of Scorer.score. ``early`` workers are taken first.

        ``core`` is the one that the process is kept on, with the decoder that it starts.
        """
        self._config = config
        self._options = options
        self._early = early
        self._core = core
        self._process: Worker | None = None
        self._ahead: NamedSource | None = None  # sent while the process scored the one before
        self._lock = threading.Lock()
        self._killed = False

    def score(self, source: NamedSource, following: NamedSource | None = None) -> Result:
        """The result of a source; an ErrorRecord too where the process ends before it answers.

        ``following`` is the source of the next call, if it is known. A path is sent ahead, so that the
        process needn't wait for it. Raises SetupError when the process can't load the model.
        """
        try:
            if self._process is None:
                self._process = self._started()
                self._send((self._config, self._options, self._core))
                if isinstance(error := self._receive(), SetupError):
                    raise error
            if self._ahead is not source:
                self._send(source)
            self._ahead = None
            # Another source might be more than the pipe holds, which would keep the answer waiting.
            if following is not None and isinstance(following[1], str):
                with suppress(OSError):  # the process has ended; its answer may be there
                    self._send(following)
                    self._ahead = following
            kind, document = self._receive()
            result: Result = kind.model_validate_json(document)
        except (OSError, EOFError, pickle.UnpicklingError):
            status = self.finish()
            return _lost(source, ScorerLost(f"The process that scored it ended with status {status}."))
        except ScorerLost as error:
            return _lost(source, error)
        return result

    def kill(self) -> None:
        """Ends the process, whatever it does. Any thread may call it."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def finish(self) -> int | None:
        """Ends the process and frees its pipes. Returns its status, None if there is none."""
        if self._process is None:
            return None
        status = end_worker(self._process)
        self._process = self._ahead = None
        return status

    def _started(self) -> Worker:
        with self._lock:  # none starts after kill()
            if self._killed:
                raise ScorerLost("The process that scores was ended.")
            try:
                return (self._early and self._early.take()) or start_worker()
            except OSError as error:
                raise ScorerLost(f"No process could be started to score in ({error}).") from error

    def _send(self, message: Any) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(pickle.dumps(message))
        self._process.stdin.flush()

    def _receive(self) -> Any:
        assert self._process is not None and self._process.stdout is not None
        return pickle.load(self._process.stdout)


def results_in_order(
    sources: Iterable[NamedSource],
    jobs: int,
    config: ScorerConfig,
    options: Mapping[str, Any],
    early: EarlyWorkers | None = None,
) -> Iterator[Result]:
    """Yields the result of each source, in order, from ``jobs`` processes, each as soon as it is there.

    The ``early`` workers are taken first.

    The processes are killed when the iterator is closed, or an exception such as KeyboardInterrupt leaves
    it. Raises SetupError.
    """
    tasks: Tasks = SimpleQueue()
    waiting: deque[Future[Result]] = deque()
    # Each worker and its decoder take turns. Where the workers fill all cores, one core for each pair saves
    # moving them between caches.
    cores: list[int | None] = [*usable_cores()]
    if jobs != len(cores) or config.threads > 1:
        cores = [None] * jobs
    processes = [ScorerProcess(config, options, early, core) for core in cores]
    # Daemons: a program that ends without closing the iterator doesn't wait for recordings under way.
    threads = [threading.Thread(target=_serve, args=(tasks, each, jobs), daemon=True) for each in processes]
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


def _serve(tasks: Tasks, process: ScorerProcess, jobs: int) -> None:
    """Scores the sources of the queue in a process, up to the None that ends it."""
    task = tasks.get()
    while task is not None:
        future, source = task
        following = []
        # Behind a long recording, or where another process has nothing to do, no source should wait.
        if tasks.qsize() >= jobs and _is_short(source[1]):
            with suppress(Empty):  # another process was faster
                following.append(tasks.get_nowait())
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(process.score(source, *(each[1] for each in following if each)))
            except BaseException as error:
                future.set_exception(error)
        task = following[0] if following else tasks.get()
    process.finish()


def _is_short(source: Any) -> bool:
    """Whether a source is a small file."""
    try:
        return isinstance(source, str) and os.stat(source).st_size <= SHORT_BYTES  # noqa: PTH116
    except (OSError, ValueError):  # it is scored at once: there is no such file
        return True


def _lost(source: NamedSource, error: ScorerLost) -> ErrorRecord:
    return ErrorRecord.of(error, FileSource(file=source[0]))
