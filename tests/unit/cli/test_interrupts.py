"""Ctrl-C: a result is kept whole or not at all, and no moment ends in a traceback."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import threading

import pytest

from aqscore.cli.interrupts import Interrupts
from aqscore.cli.main import main
from tests.conftest import EXAMPLES

COMMAND = [sys.executable, "-m", "aqscore", "score"]


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_raises_only_where_it_is_allowed():
    kept = []
    with Interrupts() as interrupts:
        with interrupts.allowed():
            kept.append("before")
        interrupt()
        kept.append("during")
        with pytest.raises(KeyboardInterrupt), interrupts.allowed():
            kept.append("after")
    assert kept == ["before", "during"]


def test_a_second_interrupt_lets_the_work_clean_up():
    cleaned = False
    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt), interrupts.allowed():
        try:
            interrupt()
        finally:
            interrupt()
            cleaned = True
    assert cleaned
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_an_interrupt_while_exports_are_written_lets_them_complete(tmp_path, monkeypatch):
    def write(results, path):
        interrupt()
        path.write_text(f"{len(results)} results")

    monkeypatch.setattr("aqscore.cli.outputs.write_plot", write)
    assert main(["score", str(EXAMPLES / "noisy.flac"), "--plot", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").read_text() == "1 results"


@pytest.mark.parametrize("seed", range(2))
def test_an_interrupt_at_a_random_moment_keeps_the_printed_results(tmp_path, seed):
    """The moment lies up to 50 ms after one of the first lines."""
    moment = random.Random(seed)
    for number in range(200):
        (tmp_path / f"{number:03}.flac").symlink_to(EXAMPLES / "noisy.flac")
    exported = tmp_path / "scores.csv"
    arguments = [*COMMAND, str(tmp_path), "--format", "jsonl", "--no-frames", "--csv", str(exported)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        first = "".join(process.stdout.readline() for _ in range(moment.randrange(1, 20)))
        threading.Event().wait(moment.random() / 20)
        process.send_signal(signal.SIGINT)
        rest, errors = process.stdout.read(), process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in errors
    lines = [json.loads(line) for line in (first + rest).splitlines()]
    with exported.open() as file:
        assert len(list(csv.DictReader(file))) == len(lines)
