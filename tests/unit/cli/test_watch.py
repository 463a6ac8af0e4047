"""aqscore watch: complete recordings get a result, once, through restarts, half-written files and renames."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aqscore import ErrorRecord, Report, score
from aqscore.cli.drop_folder import RETRY_S, DropFolder
from aqscore.cli.inputs import Input
from aqscore.cli.main import main
from aqscore.errors import DecoderLost, EmptyFile
from aqscore.report import read_document
from infra.waiting import wait_until
from tests.conftest import EXAMPLES, ROOT

CLEAN = EXAMPLES / "clean.flac"
SETTLE_S = 2.0
LIMIT_S = 120


@pytest.fixture(scope="module")
def report() -> Report:
    return score(CLEAN, frames=False)


@pytest.fixture
def incoming(tmp_path) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(incoming) -> DropFolder:
    return DropFolder(incoming, incoming, SETTLE_S)


def write(path: Path, content: bytes = b"1234", modified_s: int = 1_700_000_000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (modified_s, modified_s))
    return path


def keep(folder: DropFolder, found: list[Input], result: Report | ErrorRecord, now: float) -> list[bool]:
    """Keeps the result for each recording, as the result of that recording."""
    return [
        folder.keep(each, result.model_copy(update={"source": each.source(each.status())}), now)
        for each in found
    ]


def names(found: list[Input]) -> list[str]:
    return [Path(each.path).name for each in found]


def test_a_recording_is_ready_when_it_has_not_changed_for_a_while(folder, incoming):
    path = write(incoming / "a.wav")
    write(incoming / "notes.txt")
    write(incoming / ".hidden.wav")
    assert folder.ready(0.0) == []
    assert folder.ready(1.9) == []
    write(path, b"12345678")  # its second half
    assert folder.ready(2.0) == []
    write(path, b"12345679", modified_s=1_700_000_001)  # as long, changed
    assert folder.ready(3.0) == []
    assert folder.ready(4.9) == []
    assert names(folder.ready(5.0)) == ["a.wav"]


def test_a_result_is_written_beside_the_recording_or_into_the_output(incoming, tmp_path, report):
    write(incoming / "day" / "a.wav")
    for output in (incoming, tmp_path / "results"):
        folder = DropFolder(incoming, output, 0.0)
        assert keep(folder, folder.ready(0.0), report, 0.0) == [True]
        stored = read_document((output / "day" / "a.wav.json").read_bytes())
        assert stored.score == report.score and stored.source.size_bytes == 4
        assert folder.settled and folder.ready(9.0) == []
        assert not list(output.rglob("*.part"))


def test_after_a_restart_only_recordings_without_a_current_result_are_scored(incoming, report):
    for name in ("a.wav", "b.wav", "c.wav", "d.wav"):
        write(incoming / name)
    before = DropFolder(incoming, incoming, 0.0)
    keep(before, before.ready(0.0)[:3], report, 0.0)
    write(incoming / "b.wav", modified_s=1_700_000_001)
    (incoming / "c.wav.json").write_text('{"schema_ver')  # by another program: cut short
    assert names(DropFolder(incoming, incoming, 0.0).ready(0.0)) == ["b.wav", "c.wav", "d.wav"]


def test_a_changed_recording_is_scored_again_and_has_one_result(folder, incoming, report):
    write(incoming / "a.wav")
    folder.ready(0.0)
    failure = ErrorRecord.of(EmptyFile("No bytes."), report.source)
    assert keep(folder, folder.ready(2.0), failure, 2.0) == [True]
    assert {path.name for path in incoming.iterdir()} == {"a.wav", "a.wav.error.json"}
    write(incoming / "a.wav", b"whole")
    assert folder.ready(3.0) == []
    assert keep(folder, folder.ready(5.0), report, 5.0) == [True]
    assert {path.name for path in incoming.iterdir()} == {"a.wav", "a.wav.json"}
    assert folder.ready(99.0) == []


def test_a_recording_that_changes_while_it_is_scored_is_scored_again(folder, incoming, report):
    write(incoming / "a.wav")
    folder.ready(0.0)
    found = folder.ready(2.0)
    write(incoming / "a.wav", b"longer than before")
    keep(folder, found, report, 2.5)
    assert folder.ready(3.0) == []
    assert names(folder.ready(5.0)) == ["a.wav"]


def test_a_renamed_recording_gets_a_result_of_its_new_name_only(folder, incoming, report):
    path = write(incoming / "a.part")  # as a program that downloads names it
    assert folder.ready(0.0) == []
    path = path.rename(incoming / "a.wav")
    folder.ready(1.0)
    found = folder.ready(3.0)
    path.rename(incoming / "b.wav")  # while it is scored
    assert folder.keep(found[0], report, 3.5) is False
    folder.ready(4.0)
    keep(folder, folder.ready(6.0), report, 6.0)
    assert {path.name for path in incoming.iterdir()} == {"b.wav", "b.wav.json"}


def test_an_error_that_may_pass_is_tried_again_later(folder, incoming, report):
    write(incoming / "a.wav")
    folder.ready(0.0)
    lost = ErrorRecord.of(DecoderLost("It was killed."), report.source)
    assert keep(folder, folder.ready(2.0), lost, 2.0) == [False]
    assert {path.name for path in incoming.iterdir()} == {"a.wav"}
    assert folder.ready(3.0) == [] and not folder.settled
    assert names(folder.ready(2.0 + RETRY_S)) == ["a.wav"]


def test_a_folder_that_disappears_and_comes_back_is_watched_on(folder, incoming, report):
    write(incoming / "a.wav")
    folder.ready(0.0)
    keep(folder, folder.ready(2.0), report, 2.0)
    away = incoming.rename(incoming.with_name("away"))
    assert folder.ready(3.0) == []
    away.rename(incoming)
    assert folder.ready(4.0) == [] and folder.settled


def test_once_scores_what_is_there_and_ends(incoming, capsys):
    shutil.copy(CLEAN, incoming / "a.flac")
    (incoming / "b.wav").write_text("no recording")
    assert main(["watch", str(incoming), "--once", "--settle", "0", "--jobs", "1", "--no-frames"]) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith(f"{incoming}/a.flac\t4.")
    assert f"{incoming}/b.wav: " in shown.err
    assert read_document((incoming / "a.flac.json").read_bytes()).frames is None
    assert read_document((incoming / "b.wav.error.json").read_bytes()).error.type == "unsupported_format"


def test_a_missing_folder_is_named(tmp_path, capsys):
    assert main(["watch", str(tmp_path / "missing")]) == 2
    assert "is no folder" in capsys.readouterr().err


def test_the_command_scores_what_lands_and_ends_quietly_on_ctrl_c(incoming, tmp_path):
    results = tmp_path / "results"
    command = [sys.executable, "-m", "aqscore", "watch", incoming, "--output", results, "--settle", "0.2"]
    with subprocess.Popen(
        [*command, "--jobs", "1"],
        cwd=ROOT / "function",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr.readline() == f"Watching {incoming} (Ctrl-C ends it)\n"
            shutil.copy(CLEAN, incoming / "a.flac")
            wait_until((results / "a.flac.json").exists, "the result", LIMIT_S)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")
    assert output.startswith(f"{incoming}/a.flac\t4.")
