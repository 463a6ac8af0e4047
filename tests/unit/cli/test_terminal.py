"""The command in a real terminal: widths, colours, the progress bar, Ctrl-C."""

import os
import re
import shutil
import sys

import pexpect
import pytest
from rich.cells import cell_len

from tests.conftest import EXAMPLES

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
TIMEOUT_S = 120
TABLE_STARTS = "File"


@pytest.fixture
def folder(tmp_path):
    calls = tmp_path / "calls"
    calls.mkdir()
    for name in ("noisy", "clean", "no_speech"):
        shutil.copy(EXAMPLES / f"{name}.flac", calls / f"{name} [call] of the week 2026-11-27.flac")
    (calls / "broken.wav").write_text("no audio")
    (calls / "notes.txt").touch()
    return calls


def spawned(*arguments: str, columns: int = 80) -> pexpect.spawn:
    return pexpect.spawn(
        sys.executable,
        ["-m", "aqscore", "score", *arguments],
        dimensions=(50, columns),
        timeout=TIMEOUT_S,
        encoding="utf-8",
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": str(columns)},
    )


def screen(text: str) -> list[str]:
    """The lines that stay on the screen, from the table on."""
    lines = [
        CONTROL.sub("", line).split("\r")[-1].rstrip() for line in text.replace("\r\n", "\n").split("\n")
    ]
    first = next(i for i, line in enumerate(lines) if line.startswith(TABLE_STARTS))
    return [line for line in lines[first:] if line]


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_table_fits_the_terminal(folder, columns):
    child = spawned(str(folder), columns=columns)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    lines = screen(child.before)
    summary = lines.index("1 file skipped: .txt 1")
    assert all(cell_len(line) <= columns for line in lines[:summary])
    rows = lines[1:4]
    scores = [re.split(r"\s{2,}", row)[1] for row in rows]  # the worst first, none last
    assert float(scores[0]) < float(scores[1]) and scores[2] == "-"
    assert all("2026-11-27.flac"[-6:] in row for row in rows)
    if columns == 200:
        assert "no_speech [call] of the week 2026-11-27.flac" in rows[2]
        assert "could be" in rows[0]
    errors = " ".join(" ".join(lines[4:summary]).split())
    assert "Could not be scored:" in errors
    assert "broken.wav" in errors
    assert "Check how the file was made" in errors
    assert lines[-1].startswith("2 scored, 1 without a score, 1 failed, 1 skipped · median ")
    assert "\x1b[1;31m" in child.before or "\x1b[31m" in child.before  # bad is red


def test_colours_can_be_switched_off(folder, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    child = spawned(str(folder / "broken.wav"), str(EXAMPLES / "noisy.flac"))
    child.expect(pexpect.EOF)
    child.close()
    assert "\x1b[31m" not in child.before


def test_ctrl_c_shows_the_results_so_far_and_how_to_go_on(tmp_path):
    calls = tmp_path / "calls"
    calls.mkdir()
    for number in range(400):
        (calls / f"{number:03}.flac").symlink_to(EXAMPLES / "noisy.flac")
    output = tmp_path / "scores.tsv"
    child = spawned(str(calls), "--output", str(output), columns=200)
    child.expect(r"[1-9]\d*/400")  # the progress bar
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    text = CONTROL.sub("", child.before)
    assert "Traceback" not in text
    assert f"To go on: aqscore score {calls} --output {output} --resume" in text
    scored = len(output.read_text().splitlines()) - 1
    assert f"Interrupted: {scored} of 400 recordings were scored." in text
    assert 0 < scored < 400


def test_rows_in_a_terminal_have_no_progress_bar_among_them(folder):
    child = spawned(str(folder), "--format", "tsv", columns=200)
    child.expect(pexpect.EOF)
    child.close()
    assert "Scoring" not in child.before
