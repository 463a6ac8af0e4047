"""Processes that score start before most modules are imported, and none is left behind."""

import os
import signal
import subprocess
import sys

import pytest

from aqscore.cli.main import main
from aqscore.cli.rows import FORMATS
from aqscore.cli.score_options import FORMATS as CHOICES
from aqscore.cli.score_options import SORTS as SORT_CHOICES
from aqscore.cli.table import SORTS
from aqscore.scorer_start import EarlyWorkers, end_worker, jobs_of_all_cores
from infra.waiting import wait_until
from tests.conftest import EXAMPLES, ROOT
from tests.scorer_workers import is_running, workers_of

CLEAN, NOISY = str(EXAMPLES / "clean.flac"), str(EXAMPLES / "noisy.flac")
LIMIT_S = 120
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "function")}
# Prints at each start of a process whether a module is imported, then the exit status.
SHOW_STARTS = """
import sys
from aqscore.cli.main import main
sys.addaudithook(lambda event, _: event == "subprocess.Popen" and print("start", "pydantic" in sys.modules))
print("status", main(sys.argv[1:]))
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")


def test_the_options_offer_the_formats_and_orders_that_there_are():
    assert ("table", *FORMATS) == CHOICES
    assert tuple(SORTS) == SORT_CHOICES


def starts(*arguments: object) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SHOW_STARTS, "score", *map(str, arguments)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert "Traceback" not in done.stderr
    return done.stdout.splitlines()


def test_processes_start_before_the_modules_of_the_results_are_imported(tmp_path):
    output = tmp_path / "scores.csv"
    found = starts(CLEAN, NOISY, "--jobs", "3", "--output", output)
    assert found == ["start False"] * 2 + ["status 0"]
    assert len(output.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    "arguments",
    [[CLEAN, "--jobs", "2"], [CLEAN, NOISY, "--jobs", "1"], ["nowhere.wav", "--jobs", "2"]],
    ids=["one recording", "one job", "no file"],
)
def test_no_process_starts_to_score_where_this_one_does(tmp_path, arguments):
    assert "start False" not in starts(*arguments, "--output", tmp_path / "scores.csv")


@linux
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--output", "nowhere/scores.csv"], 2),
        (["--start", "5", "--end", "4"], 2),
        (["--sort", "name"], 2),
    ],
)
def test_an_early_error_leaves_no_process(capsys, tmp_path, monkeypatch, arguments, status):
    monkeypatch.chdir(tmp_path)
    assert main(["score", CLEAN, NOISY, "--jobs", "2", *arguments]) == status
    assert not workers_of(os.getpid())
    assert "Traceback" not in capsys.readouterr().err


@linux
def test_a_model_that_is_missing_leaves_no_process(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("AQSCORE_MODEL_DIR", str(tmp_path))
    assert main(["score", CLEAN, NOISY, "--jobs", "2"]) == 2
    assert not workers_of(os.getpid())
    assert "There is no model" in capsys.readouterr().err


@linux
def test_ctrl_c_during_the_imports_leaves_no_process():
    with subprocess.Popen(
        [sys.executable, "-m", "aqscore", "score", CLEAN, NOISY, "--jobs", "2"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        wait_until(lambda: workers_of(process.pid), "a process", LIMIT_S)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130
    assert errors.startswith("Interrupted") and "Traceback" not in errors
    wait_until(lambda: not is_running(process.pid), "the end of all its processes", LIMIT_S)


@linux
def test_workers_that_nobody_takes_are_ended():
    with EarlyWorkers() as workers:
        workers.start(2)
        workers.kill()
        taken = workers.take()
        workers.start(1)
    assert not workers_of(os.getpid())
    assert end_worker(taken) == -signal.SIGKILL


def test_as_many_jobs_as_the_cores_have_room_for():
    assert jobs_of_all_cores(1) >= 1
    assert jobs_of_all_cores(10_000) == 1
