"""aqscore score: a line for every input, in the order given, and an exit status."""

import csv
import json
import os
import pty
import shutil
import signal
import subprocess
import sys

import pytest

from aqscore.audio.worker_pool import default_pool
from aqscore.cli.main import main
from tests.conftest import EXAMPLES, ROOT
from tests.recordings import by_ffmpeg, titled


def lines(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_for_every_input_in_the_order_given(capsys, tmp_path):
    text = tmp_path / "text.wav"
    text.write_text("no audio")
    inputs = [
        str(EXAMPLES / "noisy.flac"),
        str(text),
        str(tmp_path / "nowhere.wav"),
        str(EXAMPLES / "clean.flac"),
    ]
    assert main(["score", *inputs, "--format", "jsonl"]) == 1
    results = lines(capsys)
    assert [result["source"]["file"] for result in results] == inputs
    assert [result.get("error", {}).get("type") for result in results] == [
        None, "unsupported_format", "object_not_found", None
    ]  # fmt: skip
    assert results[0]["frames"]["scores"]


def test_folders_are_walked(capsys, tmp_path, speech):
    (tmp_path / "deeper").mkdir()
    shutil.copy(EXAMPLES / "clean.flac", tmp_path / "deeper" / "B.FLAC")
    shutil.copy(EXAMPLES / "clean.flac", tmp_path / "a.flac")
    (tmp_path / "c.m4a").write_bytes(by_ffmpeg(speech, "ipod", "aac"))
    (tmp_path / "readme.txt").write_text("Not a recording, and not taken for one.")
    assert main(["score", str(tmp_path), "--format", "jsonl", "--no-frames"]) == 0
    results = lines(capsys)
    assert [result["source"]["file"] for result in results] == [
        str(tmp_path / "a.flac"), str(tmp_path / "c.m4a"), str(tmp_path / "deeper" / "B.FLAC")
    ]  # fmt: skip
    assert results[0]["frames"] is None


def test_a_decoder_that_is_killed_costs_its_own_line_only(capsys, tmp_path, monkeypatch, speech):
    path = tmp_path / "a.wav"
    path.write_bytes(titled("killed", speech))
    monkeypatch.syspath_prepend(ROOT / "tests" / "hostile")
    default_pool.close()  # earlier workers don't have that folder in their path
    assert main(["score", str(path), str(EXAMPLES / "clean.flac"), "--format", "jsonl"]) == 1
    lost, scored = lines(capsys)
    assert (lost["error"]["type"], lost["error"]["retryable"]) == ("decoder_lost", True)
    assert scored["score"]
    default_pool.close()


def test_a_folder_without_recordings_says_so(capsys, tmp_path):
    assert main(["score", str(tmp_path)]) == 1
    assert "No recordings in" in capsys.readouterr().err


def test_the_table_is_for_a_person(capsys):
    assert main(["score", str(EXAMPLES / "clean.flac"), "--format", "table"]) == 0
    out = capsys.readouterr().out
    assert "Score" in out
    assert "clean.flac" in out.replace("\n", "").replace("│", "").replace(" ", "")


def test_a_wrong_setting_stops_before_anything_is_scored(capsys, monkeypatch):
    monkeypatch.setenv("AQSCORE_RUNTIME", "torch")
    assert main(["score", str(EXAMPLES / "clean.flac")]) == 2
    captured = capsys.readouterr()
    assert "AQSCORE_RUNTIME" in captured.err
    assert captured.out == ""


def test_wrong_arguments_are_refused():
    with pytest.raises(SystemExit) as caught:
        main(["--format", "xml", "a.wav"])
    assert caught.value.code == 2


def test_other_forms_hold_the_same_results(capsys, tmp_path):
    text = tmp_path / "text.wav"
    text.write_text("no audio")
    table, plot, page = (tmp_path / name for name in ("scores.csv", "scores.png", "scores.html"))
    options = ["--csv", str(table), "--plot", str(plot), "--report", str(page), "--format", "jsonl"]
    assert main(["score", str(EXAMPLES / "noisy.flac"), str(text), *options]) == 1
    [report, record] = lines(capsys)
    with table.open(newline="", encoding="utf-8") as file:
        [good, bad] = csv.DictReader(file)
    assert (float(good["score"]), good["verdict"]) == (report["score"], report["verdict"])
    assert bad["error"].startswith("unsupported_format: ")
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert f'"score":{report["score"]}' in page.read_text()
    assert "page/page.js" not in page.read_text()


def test_names_are_shown_as_they_are_however_they_look_as_markup(capsys, tmp_path):
    path = tmp_path / "[bold]call[1].flac"
    shutil.copy(EXAMPLES / "noisy.flac", path)
    assert main(["score", str(path), "--format", "table"]) == 0
    assert "[bold]call[1].flac" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--help"], ["score", "--help"], ["serve", "--help"]])
def test_help_names_the_command(capsys, arguments):
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 0
    assert "aqscore" in capsys.readouterr().out


def test_without_a_command_the_help_goes_to_standard_error(capsys):
    assert main([]) == 2
    captured = capsys.readouterr()
    assert "aqscore score calls/" in captured.err and captured.out == ""


def test_version_prints_both_versions(capsys, monkeypatch, tmp_path):
    with pytest.raises(SystemExit) as exit:
        main(["--version"])
    assert exit.value.code == 0
    assert capsys.readouterr().out.startswith("aqscore ")
    monkeypatch.setenv("AQSCORE_MODEL_DIR", str(tmp_path))
    with pytest.raises(SystemExit) as exit:
        main(["--version"])
    assert exit.value.code == 2
    assert "There is no model in" in capsys.readouterr().err


COMMAND = [sys.executable, "-m", "aqscore", "score"]


def test_json_lines_go_to_the_output_even_beside_a_progress_bar(tmp_path):
    """Standard error is a terminal, standard output a file."""
    output = tmp_path / "scores.jsonl"
    terminal, other_end = pty.openpty()
    with output.open("wb") as file, open(terminal, "rb", closefd=True):  # noqa: PTH123
        arguments = [*COMMAND, str(EXAMPLES / "noisy.flac"), "--format", "jsonl"]
        subprocess.run(
            arguments, stdout=file, stderr=other_end, check=True, env=os.environ | {"TERM": "xterm"}
        )
        os.close(other_end)
    [line] = output.read_text().splitlines()
    assert json.loads(line)["score"]


def test_an_interrupt_keeps_the_results_so_far(tmp_path):
    names = [tmp_path / f"{number:03}.flac" for number in range(300)]
    for name in names:
        name.symlink_to(EXAMPLES / "noisy.flac")
    csv_path = tmp_path / "scores.csv"
    arguments = [*COMMAND, str(tmp_path), "--format", "jsonl", "--no-frames", "--csv", str(csv_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, errors = process.stdout.read(), process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "Interrupted" in errors
    lines = [json.loads(line) for line in (first + rest).splitlines()]
    assert 1 <= len(lines) < 300
    with csv_path.open() as file:
        assert len(list(csv.DictReader(file))) == len(lines)


def test_a_closed_pipe_ends_quietly(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.flac").symlink_to(EXAMPLES / "noisy.flac")
    arguments = [*COMMAND, str(tmp_path), "--format", "jsonl"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (141, "")


@pytest.mark.parametrize(
    ("option", "name"), [("--csv", "nowhere/a.csv"), ("--report", "."), ("--plot", "a.xyz"), ("--plot", "a")]
)
def test_an_export_that_cannot_be_written_is_refused_before_any_work(capsys, tmp_path, option, name):
    assert main(["score", str(EXAMPLES / "noisy.flac"), option, str(tmp_path / name)]) == 2
    printed = capsys.readouterr()
    assert "expected" in printed.err
    assert printed.out == ""


@pytest.mark.parametrize("arguments", [["--port", "99999"], ["--port", "http"], ["--log-level", "loud"]])
def test_a_wrong_option_of_serve_is_named(capsys, arguments):
    with pytest.raises(SystemExit) as exit:
        main(["serve", *arguments])
    assert exit.value.code == 2
    assert arguments[0] in capsys.readouterr().err
