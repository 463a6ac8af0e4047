"""Scorer.score_many: results in order from several processes, the same as those of single recordings."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest
import soundfile

from aqscore import ErrorRecord, Limits, Report, Scorer, scorer_pool
from aqscore import scorer as scoring
from aqscore.config import ScorerConfig, shipped_model
from aqscore.errors import BadRequest, SetupError
from aqscore.report import FileSource
from aqscore.scorer_pool import ScorerProcess
from infra.waiting import wait_until
from tests.conftest import EXAMPLES, ROOT
from tests.scorer_workers import is_running, workers_of

CLEAN, NOISY = EXAMPLES / "clean.flac", EXAMPLES / "noisy.flac"
LIMIT_S = 120
MORE = [NOISY] * 8  # enough that a process gets a request ahead
linux = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer()


def content(result: Report | ErrorRecord) -> dict:
    """All of a result but the seconds that it took."""
    return result.model_dump(exclude={"timing"})


@pytest.fixture
def endless(tmp_path) -> Iterator[Path]:
    """A recording that takes forever to read: a pipe that nothing is written to."""
    path = tmp_path / "endless"
    os.mkfifo(path)
    yield path


@contextmanager
def being_read(pipe: Path) -> Iterator[None]:
    """Waits until a process reads the pipe, and keeps it waiting."""

    def opened() -> int | None:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nothing reads it
            return None

    descriptor = wait_until(opened, f"a reader of {pipe}", LIMIT_S)
    try:
        yield
    finally:
        os.close(descriptor)


def readers_of(path: Path) -> list[int]:
    """The workers that have it open: later than a writer can open a pipe, which ends their waiting."""
    return [pid for pid in workers_of(os.getpid()) if has_open(pid, path)]


def has_open(pid: int, path: Path) -> bool:
    return any(os.path.realpath(file) == str(path) for file in Path(f"/proc/{pid}/fd").iterdir())


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_recording_scores_the_same_alone_and_among_others_to_the_last_digit(scorer, tmp_path, speech, jobs):
    sources = []
    for number, seconds in enumerate((1.3, 40.0, 0.2, 7.9)):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, np.resize(speech, round(seconds * 16_000)), 16_000)
        sources.append(str(path))
    sources = [NOISY, *sources, CLEAN.read_bytes(), *sources[::-1]]
    alone = [content(scorer.score(source)) for source in sources]
    assert [content(result) for result in scorer.score_many(sources, jobs=jobs)] == alone


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_recording_that_cannot_be_scored_is_recorded_in_its_place(scorer, tmp_path, jobs):
    letter = tmp_path / "letter\udce9.wav"
    letter.write_text("A letter and no recording.")
    with NOISY.open("rb") as file:
        results = list(scorer.score_many([letter, CLEAN, "missing.wav", file, NOISY], jobs=jobs))
    kinds = [result.error.type if isinstance(result, ErrorRecord) else "report" for result in results]
    assert kinds == ["unsupported_format", "report", "object_not_found", "bad_request", "report"]
    assert results[0].source.file == str(letter).encode("utf-8", "backslashreplace").decode()
    assert results[0].error.advice


def test_a_defect_is_recorded_and_logged_and_the_next_recording_is_scored(scorer, monkeypatch, caplog):
    score_recording = scoring.score_recording

    def score_or_fail(*arguments):
        monkeypatch.setattr(scoring, "score_recording", score_recording)
        raise ZeroDivisionError("by a defect")

    monkeypatch.setattr(scoring, "score_recording", score_or_fail)
    first, second = scorer.score_many([CLEAN, NOISY], jobs=1)
    assert first.error.type == "internal_error" and "ZeroDivisionError: by a defect" in first.error.message
    assert "Traceback" in caplog.text and str(CLEAN) in caplog.text
    assert isinstance(second, Report)


@pytest.mark.parametrize("jobs", [1, 2])
def test_options_limits_and_arrays_reach_every_process(tmp_path, speech, jobs):
    scorer = Scorer(limits=Limits(max_duration_s=5.0))
    arrays = [speech[: 16_000 * 4], speech[: 16_000 * 6]]
    first, second = scorer.score_many(arrays, jobs=jobs, sample_rate_hz=16_000, frames=False)
    assert first.frames is None and first.source.file == "array"
    assert second.error.type == "limit_exceeded"


def test_results_come_one_by_one_from_an_endless_iterable(scorer):
    def endlessly() -> Iterator[Path]:
        while True:
            yield CLEAN

    results = scorer.score_many(endlessly(), jobs=2, frames=False)
    assert all(result.score for result in islice(results, 3))
    results.close()


def test_no_sources_give_no_results(scorer):
    assert list(scorer.score_many([])) == []


@pytest.mark.parametrize(
    "options",
    [{"jobs": 0}, {"jobs": 1.5}, {"channels": "all"}, {"start_s": 2.0, "end_s": 1.0}, {"frame": True}],
)
def test_wrong_options_are_named_before_any_work(scorer, options):
    with pytest.raises(BadRequest, match="expected"):
        scorer.score_many([CLEAN, NOISY], **options)


def test_a_model_that_a_process_cannot_load_is_named(tmp_path):
    folder = shutil.copytree(shipped_model(), tmp_path / "model")
    scorer = Scorer(folder)
    (folder / "model.onnx").unlink()
    with pytest.raises(SetupError, match=r"model\.onnx can't be read"):
        list(scorer.score_many([CLEAN, NOISY], jobs=2))


def test_the_parent_of_several_processes_loads_no_model():
    """It would take the time of several recordings, while nothing else runs."""
    code = (
        "import sys; from aqscore.config import ScorerConfig; from aqscore.scorer import Scorer; "
        "scorer = Scorer.from_config(ScorerConfig()); "
        "print(*(result.score for result in scorer.score_many(sys.argv[1:], jobs=2, frames=False))); "
        "print('onnxruntime' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, CLEAN, NOISY],
        env=os.environ | {"PYTHONPATH": str(ROOT / "function")},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    scores, loaded = done.stdout.splitlines()
    assert len(scores.split()) == 2 and loaded == "False"


@linux
def test_a_recording_whose_process_dies_is_recorded_and_the_others_are_scored(scorer, endless):
    results = scorer.score_many([CLEAN, endless, *MORE, CLEAN], jobs=2, frames=False)
    assert isinstance(next(results), Report)
    with being_read(endless):
        [worker] = wait_until(lambda: readers_of(endless), "a worker that has it open", LIMIT_S)
        os.kill(worker, signal.SIGKILL)
        lost, *rest = results
    assert lost.error.type == "scorer_lost" and lost.error.retryable
    assert all(isinstance(result, Report) for result in rest)
    assert [result.source.file for result in rest] == [*map(str, MORE), str(CLEAN)]


@linux
def test_a_source_sent_ahead_is_scored_by_the_next_process_when_one_dies(endless):
    process = ScorerProcess(ScorerConfig(), {"frames": False})
    lost, following, later = ("endless", str(endless)), ("noisy", str(NOISY)), ("clean", str(CLEAN))
    with ThreadPoolExecutor(1) as thread:
        result = thread.submit(process.score, lost, following)
        with being_read(endless):
            [worker] = workers_of(os.getpid())
            os.kill(worker, signal.SIGKILL)
            assert result.result(LIMIT_S).error.type == "scorer_lost"
    found = process.score(following, later), process.score(later)
    process.finish()
    assert [result.source.file for result in found] == [str(NOISY), str(CLEAN)]


@linux
@pytest.mark.skipif(sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
@pytest.mark.parametrize(("cores", "apart"), [(2, True), (1, False)])
def test_workers_that_fill_the_cores_have_one_each(scorer, endless, cores, apart):
    """Others may move, as they do where cores are left for them."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:cores])
    try:
        results = scorer.score_many([CLEAN, endless, *MORE], jobs=2, frames=False)
        assert isinstance(next(results), Report)
        with being_read(endless):
            workers = workers_of(os.getpid())
            found = sorted(sorted(os.sched_getaffinity(pid)) for pid in workers)
            results.close()
    finally:
        os.sched_setaffinity(0, before)
    mine = sorted(before)[:cores]
    assert found == ([[core] for core in mine] if apart else [mine] * 2)


def test_only_a_source_that_waits_for_little_is_sent_ahead(tmp_path):
    """Nothing waits behind a long recording, nor while another process has nothing to do."""
    short, long = tmp_path / "short.wav", tmp_path / "long.wav"
    short.touch()
    with long.open("wb") as file:
        file.truncate(scorer_pool.SHORT_BYTES + 1)
    sources = [(str(path), str(path)) for path in (short, long, short, short, "missing.wav", short, short)]
    asked = []

    class Process(ScorerProcess):
        def score(self, source, following=None):
            asked.append((source[0], following and following[0]))
            return ErrorRecord.of(BadRequest("not scored"), FileSource(file=source[0]))

    tasks = SimpleQueue()
    for task in (*((Future(), source) for source in sources), None):
        tasks.put(task)
    with ThreadPoolExecutor(1) as thread:  # which blocks SIGINT
        thread.submit(scorer_pool._serve, tasks, Process(ScorerConfig(), {}), jobs=3).result(LIMIT_S)
    names = [source[0] for source in sources]
    ahead = [names[1], None, names[3], names[4], names[5], None, None]
    assert asked == list(zip(names, ahead, strict=True))


@linux
def test_ctrl_c_does_not_reach_a_process_that_starts(scorer):
    """It would print a traceback, or another error of an import that was cut short."""
    with ThreadPoolExecutor(1) as thread:
        results = thread.submit(list, scorer.score_many([CLEAN, NOISY], jobs=2, frames=False))
        for worker in wait_until(lambda: workers_of(os.getpid()), "a process", LIMIT_S):
            os.kill(worker, signal.SIGINT)
        assert all(isinstance(result, Report) for result in results.result(LIMIT_S))


@linux
def test_closing_the_results_ends_the_processes(scorer, endless):
    results = scorer.score_many([CLEAN, endless, *MORE], jobs=2, frames=False)
    next(results)
    assert workers_of(os.getpid())
    results.close()
    assert not workers_of(os.getpid())


def test_a_program_ends_at_once_though_results_are_left(endless):
    code = (
        "import sys; from aqscore import Scorer; "
        "results = Scorer().score_many(sys.argv[1:], jobs=2, frames=False); print(next(results).score)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, CLEAN, endless, *MORE],
        env=os.environ | {"PYTHONPATH": str(ROOT / "function")},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert float(done.stdout) and (done.returncode, done.stderr) == (0, "")


@linux
def test_ctrl_c_ends_a_script_and_its_processes_at_once(endless, tmp_path):
    script = tmp_path / "script.py"  # without an `if __name__ == "__main__"`
    script.write_text(
        "import sys\nfrom aqscore import Scorer\n"
        "for result in Scorer().score_many(sys.argv[1:], jobs=2, frames=False):\n"
        "    print(result.source.file, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, script, CLEAN, endless, *MORE],
        env=os.environ | {"PYTHONPATH": str(ROOT / "function")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline().strip() == str(CLEAN)
        with being_read(endless):
            assert len(workers_of(process.pid)) == 2
            os.killpg(process.pid, signal.SIGINT)
            _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == -signal.SIGINT
    assert errors.count("Traceback") == 1, errors  # the script's own KeyboardInterrupt
    wait_until(lambda: not is_running(process.pid), "the end of all its processes", LIMIT_S)
