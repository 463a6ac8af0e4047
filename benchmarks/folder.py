"""The command on a folder of a thousand recordings, with one and two processes, and its plot and page."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import numbers_in_turn, ratio, seconds, short, table
from infra.localstack.install import ROOT

ROUNDS = 2
FILES = 1_000
EXAMPLE = ROOT / "examples" / "noisy.flac"
EXAMPLE_S = 6.165
TASKS = {
    "1 process": ["--jobs", "1"],
    "2 processes": ["--jobs", "2"],
    "2 processes, plot and page": ["--jobs", "2", "--plot", "scores.png", "--report", "scores.html"],
}


def run(results: dict) -> dict:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        calls = folder / "calls"
        calls.mkdir()
        for number in range(FILES):
            (calls / f"{number:04}.flac").symlink_to(EXAMPLE)
        tasks = {task: lambda o=options: spent(folder, o) for task, options in TASKS.items()}
        found = numbers_in_turn(tasks, ROUNDS)
    return {name: row["spent_s"] for name, row in found.items()}


def spent(folder: Path, options: list[str]) -> dict:
    """Seconds that the command takes for the folder."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "aqscore", "score", "calls", "--output", "scores.tsv", "--quiet"]
    subprocess.run([*command, *options], cwd=folder, check=True)
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
