"""Throughput of one and two processes, and of one and two threads."""

import subprocess
import sys
import time
from contextlib import ExitStack

from benchmarks.measuring import numbers_in_turn, ratio, short, table
from benchmarks.recordings import saved
from infra.localstack.install import ROOT

ROUNDS = 3
LENGTH_S = 1800
PASSES = 2  # recordings that each process scores
SCORE = """
import sys
from dataclasses import replace
from aqscore.model.loading import load_model
from aqscore.pipeline import score_file
from aqscore.config import ScorerConfig
settings = replace(ScorerConfig(), threads=int(sys.argv[2]))
load_model(settings)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[3])):
    with open(sys.argv[1], "rb") as file:
        score_file(file, settings)
"""


def run(results: dict) -> dict:
    with saved(LENGTH_S) as path:
        tasks = {
            f"{processes} x {threads}": lambda p=processes, t=threads: audio_rate(str(path), p, t)
            for processes, threads in ((1, 1), (2, 1), (1, 2))
        }
        found = numbers_in_turn(tasks, ROUNDS)
    return {name: row["audio_s_per_s"] for name, row in found.items()}


def audio_rate(path: str, processes: int, threads: int) -> dict:
    """Seconds of audio that the processes together score in a second, each with a number of threads."""
    arguments = [sys.executable, "-c", SCORE, path, str(threads), str(PASSES)]
    with ExitStack() as running:
        workers = [
            running.enter_context(
                subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            )
            for _ in range(processes)
        ]
        inputs = []
        for worker in workers:
            assert worker.stdin and worker.stdout
            worker.stdout.readline()  # "ready": the model is loaded
            inputs.append(worker.stdin)
        started = time.perf_counter()
        for each in inputs:
            each.close()
        statuses = [worker.wait() for worker in workers]
        spent_s = time.perf_counter() - started
    if any(statuses):
        raise RuntimeError(f"A process that scored {path} ended with an error.")
    return {"audio_s_per_s": processes * PASSES * LENGTH_S / spent_s}


def show(result: dict) -> str:
    return table(
        ["Processes x threads", "Seconds of audio a second", "against 1 x 1"],
        [
            [name, short(rate["median"]), f"{ratio(rate, result['1 x 1']):.2f}x"]
            for name, rate in result.items()
        ],
    )
