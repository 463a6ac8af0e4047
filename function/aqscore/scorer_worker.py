"""The scorer worker: a process of ``Scorer.score_many``, which scores one recording after another.

aqscore.scorer_pool starts it as ``python -m aqscore.scorer_worker`` and sends it pickled objects through
standard input; the answers leave through standard output. The first message, a ScorerConfig, the options of
Scorer.score and the core to stay on or None, is answered by None or a SetupError. Each later pair, a name and
a source, is answered by the type of the result, Report or ErrorRecord, and its JSON. The next pair may be
sent before the answer. The worker ends with its input.
"""

import os
import pickle
import signal
import sys
from contextlib import suppress
from typing import IO, Any

from aqscore.errors import SetupError
from aqscore.model.loading import load_model
from aqscore.scorer import Scorer, result_of


def run(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answers the requests until there are no more."""

    def answer(value: Any) -> None:
        answers.write(pickle.dumps(value))
        answers.flush()

    config, options, core = pickle.load(requests)
    if core is not None and hasattr(os, "sched_setaffinity"):
        with suppress(OSError):  # the core has been taken from this process
            os.sched_setaffinity(0, {core})
    try:
        scorer = Scorer.from_config(config)
        load_model(config)
    except SetupError as error:
        answer(error)
        return
    answer(None)
    while True:
        try:
            name, source = pickle.load(requests)
        except EOFError:
            return
        result = result_of(scorer, name, source, options)
        answer((type(result), result.model_dump_json()))  # in less time than pickling its parts


def main() -> None:
    """Serves standard input and output, which nothing else in this process can use."""
    # Ctrl-C reaches every process of a terminal. The parent process ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    try:
        run(requests, answers)
    except (BrokenPipeError, EOFError, pickle.UnpicklingError):  # the parent process is gone
        sys.exit(1)


if __name__ == "__main__":
    main()
