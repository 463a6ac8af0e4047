"""The command on a folder of a thousand recordings, with one and two processes, and its plot and page.

Two separate runs, of half the folder each, show what this machine allows: their processes share nothing, and
each has its own start.
"""

import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.measuring import numbers_in_turn, ratio, seconds, short, table
from infra.localstack.install import ROOT

ROUNDS = 2
FILES = 1_000
EXAMPLE = ROOT / "examples" / "noisy.flac"
EXAMPLE_S = 6.165
CONTROL = "two separate runs of half the folder"
TASKS = {
    "1 process": ["--jobs", "1"],
    "2 processes": ["--jobs", "2"],
    "2 processes, plot and page": ["--jobs", "2", "--plot", "scores.png", "--report", "scores.html"],
}


def run(results: dict) -> dict:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(FILES):
            half = folder / "calls" / f"half{number % 2}"
            half.mkdir(parents=True, exist_ok=True)
            (half / f"{number:04}.flac").symlink_to(EXAMPLE)
        tasks = {task: partial(spent, folder, ["calls", *options]) for task, options in TASKS.items()}
        halves = (["calls/half0", "--jobs", "1"], ["calls/half1", "--jobs", "1"])
        tasks[CONTROL] = partial(spent, folder, *halves)
        found = numbers_in_turn(tasks, ROUNDS)
    return {name: row["spent_s"] for name, row in found.items()}


def spent(folder: Path, *runs: list[str]) -> dict:
    """Seconds that the command takes with these arguments; of several runs at once, until the last ends."""
    started = time.perf_counter()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "aqscore", "score", *arguments, "--output", f"{number}.tsv", "--quiet"],
            cwd=folder,
        )
        for number, arguments in enumerate(runs)
    ]
    for process in processes:
        if process.wait() != 0:
            raise subprocess.CalledProcessError(process.returncode, process.args)
    return {"spent_s": time.perf_counter() - started}


def show(result: dict) -> str:
    return table(
        [f"`aqscore score`, {FILES:,} recordings", "Seconds", "times real time", "against 1 process"],
        [
            [
                name,
                seconds(row),
                short(FILES * EXAMPLE_S / row["median"]),
                f"{ratio(result['1 process'], row):.2f}x",
            ]
            for name, row in result.items()
        ],
    )
