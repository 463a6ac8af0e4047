"""aqscore score as a process: odd inputs, pipes, outputs that fail, exit statuses, runs that go on."""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from aqscore.cli.main import main
from tests.conftest import EXAMPLES
from tests.recordings import titled

COMMAND = [sys.executable, "-m", "aqscore", "score"]
NOISY = EXAMPLES / "noisy.flac"
HOSTILE_NAMES = [
    b"latin-1 caf\xe9.flac",
    b"bytes \xff\xfe\x80.flac",
    b"[bold red]brackets[1] [.flac",
    b"\x1b]0;title\x07escape \x1b[2J.flac",
    b"two\nlines\ttab\r.flac",
    b"$\\alpha_{$ math.flac",
    b"=HYPERLINK(1).flac",
    b"-dash --output.flac",
    b"<script>alert(1)<.flac",
    "通話 \u202e gnp.flac".encode(),
    b"'quotes\" & %s {0} `id`.flac",
    b"%d" * 60 + b".flac",
]


def run(*arguments: object, **options) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(os.fspath, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    for name in HOSTILE_NAMES:
        shutil.copy(NOISY, os.fsencode(folder) + b"/" + name)
    Path(os.fsdecode(os.fsencode(folder) + b"/broken \xe9\n\x1b[31m.wav")).write_text("no audio")
    return folder


@pytest.mark.parametrize("form", ["table", "tsv", "csv", "jsonl", "json"])
def test_every_name_gets_its_line_in_every_format(capsys, hostile, form):
    assert main(["score", str(hostile), "--format", form, "--jobs", "1"]) == 1
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err and "\r" not in out
    if form == "table":
        assert f"{len(HOSTILE_NAMES)} scored, 1 failed" in err
        assert "Could not be scored" in out and "broken" in out
        return
    if form in ("jsonl", "json"):
        results = json.loads(out) if form == "json" else [json.loads(line) for line in out.splitlines()]
        scores = [result.get("score") for result in results]
    else:
        assert len(out.splitlines()) == len(HOSTILE_NAMES) + 2
        cells = list(csv.DictReader(out.splitlines(), delimiter="\t" if form == "tsv" else ","))
        scores = [float(each["score"]) if each["score"] else None for each in cells]
    assert sorted(map(bool, scores)) == [False] + [True] * len(HOSTILE_NAMES)


def test_every_name_gets_into_a_plot_and_a_page(tmp_path, hostile):
    outputs = ["--plot", tmp_path / "a.svg", "--report", tmp_path / "a.html", "--csv", tmp_path / "a.csv"]
    done = run(hostile, *outputs, "--jobs", "1")
    assert done.returncode == 1
    assert "Warning" not in done.stderr and "Traceback" not in done.stderr
    assert "<script>alert(1)<" not in (tmp_path / "a.html").read_text()
    assert len((tmp_path / "a.csv").read_text().splitlines()) == len(HOSTILE_NAMES) + 2
    assert "$" in (tmp_path / "a.svg").read_text()


def test_a_missing_name_in_any_bytes_is_an_error_of_its_own(capsys, tmp_path):
    missing = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")
    assert main(["score", missing, str(NOISY), "--format", "jsonl"]) == 1
    lost, scored = map(json.loads, capsys.readouterr().out.splitlines())
    assert lost["error"]["type"] == "object_not_found"
    assert scored["score"]


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_scored_beside_files(name):
    with NOISY.open("rb") as sound:
        command = [*COMMAND, name, str(NOISY), "--format", "jsonl", "--jobs", "2"]
        pipe = subprocess.Popen(["cat"], stdin=sound, stdout=subprocess.PIPE)
        done = subprocess.run(command, stdin=pipe.stdout, capture_output=True, text=True, check=True)
        pipe.stdout.close()
        pipe.wait()
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["source"]["file"], first["score"]) == (name, second["score"])
    assert first["source"]["size_bytes"] is None


def test_a_named_pipe_is_scored(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen([*COMMAND, str(pipe), "--format", "jsonl"], stdout=subprocess.PIPE) as process:
        with pipe.open("wb") as file:
            file.write(NOISY.read_bytes())
        [line] = process.stdout.read().splitlines()
    assert json.loads(line)["score"]


def test_an_endless_device_is_too_large(monkeypatch, capsys):
    monkeypatch.setenv("AQSCORE_MAX_BYTES", "100000")
    assert main(["score", "/dev/zero", "--format", "jsonl"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["type"] == "limit_exceeded"


def test_names_come_from_a_list_on_standard_input():
    done = run("--files-from", "-", "--format", "tsv", input=f"{NOISY}\n{EXAMPLES / 'clean.flac'}\n")
    assert done.returncode == 0
    assert [line.split("\t")[0] for line in done.stdout.splitlines()[1:]] == [
        str(NOISY), str(EXAMPLES / "clean.flac")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([NOISY], 0),
        ([NOISY, "nowhere.wav"], 1),
        ([EXAMPLES / "no_speech.flac"], 0),
        ([NOISY, "--fail-under", "1.04"], 0),
        ([NOISY, "--fail-under", "4.6"], 3),
        ([EXAMPLES / "no_speech.flac", "--fail-under", "2.5"], 3),
        ([NOISY, "nowhere.wav", "--fail-under", "2.5"], 1),
        ([], 2),
        (["-", "-"], 2),
        ([NOISY, "--start", "5", "--end", "4"], 2),
        ([NOISY, "--sort", "name"], 2),
        ([NOISY, "--resume"], 2),
        ([NOISY, "--no-frames", "--plot", "a.png"], 2),
        ([NOISY, "--no-frames", "--report", "a.html"], 2),
        ([NOISY, "--files-from", "nowhere.txt"], 2),
        ([NOISY, "--output", "nowhere/scores.csv"], 2),
        ([NOISY, "--output", "same.csv", "--csv", "same.csv"], 2),
    ],
)
def test_the_exit_status(capsys, tmp_path, monkeypatch, arguments, status):
    monkeypatch.chdir(tmp_path)
    assert main(["score", *map(str, arguments)]) == status
    captured = capsys.readouterr()
    assert (status == 2) == (captured.out == "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "option", [["--jobs", "0"], ["--fail-under", "7"], ["--start", "-1"], ["--format", "xml"]]
)
def test_a_wrong_value_is_named(capsys, option):
    with pytest.raises(SystemExit) as exit:
        main(["score", str(NOISY), *option])
    assert exit.value.code == 2
    assert option[0] in capsys.readouterr().err


def test_quiet_leaves_the_rows_only(capsys, tmp_path):
    (tmp_path / "a.txt").touch()
    shutil.copy(NOISY, tmp_path)
    assert main(["score", str(tmp_path), "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert (len(out.splitlines()), err) == (2, "")


def test_skipped_files_are_named_by_suffix(capsys, tmp_path):
    for name in ("a.txt", "b.txt", "c.pdf"):
        (tmp_path / name).touch()
    shutil.copy(NOISY, tmp_path)
    assert main(["score", str(tmp_path)]) == 0
    assert "3 files skipped: .txt 2, .pdf 1" in capsys.readouterr().err


def test_a_recording_is_never_overwritten(capsys, tmp_path):
    copy = tmp_path / "call.flac"
    shutil.copy(NOISY, copy)
    for option in ("--output", "--csv", "--report"):
        assert main(["score", str(copy), option, str(copy)]) == 2
        assert "would overwrite" in capsys.readouterr().err
    assert copy.read_bytes() == NOISY.read_bytes()


@pytest.mark.parametrize("option", [["--output", "/dev/full"], ["--csv", "/dev/full"], ["--format", "jsonl"]])
def test_a_full_disk_is_said(option):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [*COMMAND, str(NOISY), *option],
            stdout=full if option[0] == "--format" else subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


@pytest.mark.parametrize("form", ["table", "tsv", "json"])
def test_a_closed_pipe_ends_quietly_in_every_format(tmp_path, form):
    for number in range(3):
        (tmp_path / f"{number}.flac").symlink_to(NOISY)
    arguments = [*COMMAND, str(tmp_path), "--format", form]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (141, "")


def test_rows_are_written_as_they_come(tmp_path):
    """The second recording is a pipe that nobody writes yet: the first row is there before it."""
    pipe, output = tmp_path / "pipe", tmp_path / "scores.tsv"
    os.mkfifo(pipe)
    command = [*COMMAND, str(NOISY), str(pipe), "--jobs", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        header, first = process.stdout.readline(), process.stdout.readline()
        assert first.startswith(os.fsencode(NOISY))
        pipe.write_bytes(NOISY.read_bytes())
        assert len(process.stdout.readlines()) == 1
    assert header.startswith(b"file\t")
    assert not output.exists()


def test_results_are_in_order_with_several_processes(tmp_path, speech):
    """The first recording takes longest: results of the others wait for it."""
    (tmp_path / "0.wav").write_bytes(titled("long", np.tile(speech, 10)))
    for number in range(1, 6):
        shutil.copy(NOISY, tmp_path / f"{number}.flac")
    done = run(tmp_path, "--jobs", "3", "--format", "tsv")
    names = [Path(line.split("\t")[0]).name for line in done.stdout.splitlines()[1:]]
    assert names == ["0.wav", *(f"{number}.flac" for number in range(1, 6))]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_run_that_was_interrupted_at_any_moment_goes_on(tmp_path, form):
    """Interrupted and killed again and again, it completes, and has each recording once."""
    calls, output = tmp_path / "calls", tmp_path / f"scores.{form}"
    calls.mkdir()
    for number in range(40):
        (calls / f"{number:03}.flac").symlink_to(NOISY)
    moment = random.Random(form)
    command = [*COMMAND, str(calls), "--output", str(output), "--no-frames", "--resume"]
    for end in (signal.SIGINT, signal.SIGKILL, signal.SIGINT):
        wanted = (output.stat().st_size if output.exists() else 0) + moment.randrange(1, 4_000)
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            while process.poll() is None and (not output.exists() or output.stat().st_size < wanted):
                threading.Event().wait(0.01)
            process.send_signal(end)
            errors = process.stderr.read()
        assert process.returncode in (130, -signal.SIGKILL, 0)
        assert "Traceback" not in errors
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "40 scored" in done.stderr
    lines = output.read_text().splitlines()
    if form == "jsonl":
        names = [json.loads(line)["source"]["file"] for line in lines]
    else:
        names = [line.split(",")[0] for line in lines[1:]]
    assert sorted(names) == [str(calls / f"{number:03}.flac") for number in range(40)]
    before = output.read_bytes()
    assert subprocess.run(command, check=True, stderr=subprocess.PIPE).returncode == 0
    assert output.read_bytes() == before


def test_the_exports_of_a_resumed_run_have_all_results(tmp_path, capsys):
    output, table = tmp_path / "scores.jsonl", tmp_path / "scores.csv"
    arguments = ["--output", str(output), "--resume", "--csv", str(table)]
    assert main(["score", str(NOISY), *arguments]) == 0
    assert main(["score", str(NOISY), str(EXAMPLES / "clean.flac"), *arguments]) == 0
    with table.open(newline="") as file:
        assert [Path(row["file"]).name for row in csv.DictReader(file)] == ["noisy.flac", "clean.flac"]
    assert "2 scored, 1 of them from earlier" in capsys.readouterr().err


def test_help_fits_a_screen_and_has_examples():
    done = run("--help", env=os.environ | {"COLUMNS": "80"})
    lines = done.stdout.splitlines()
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 80
    assert "examples:" in lines
