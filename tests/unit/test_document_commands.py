"""The commands of docs/command-line.md run as written. Those of the other pages suit a clean shell.

test_documents.py runs the README's.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aqscore import Scorer
from tests.conftest import EXAMPLES, ROOT
from tests.unit.test_documents import GUIDES, commands, name_of

COMMAND_LINE = ROOT / "docs" / "command-line.md"
# Without the records of past work.
PAGES = [path for path in GUIDES if "decisions" not in path.parts and path.name != "CHANGELOG.md"]
# Run by other tests: the server, the image, the installation.
ELSEWHERE = ("aqscore serve", "docker ", "python3 -m venv", ".venv/bin/pip", "source ")


def blocks(path: Path) -> list[list[str]]:
    """The commands of a document by block of lines: those of one block belong together."""
    return [
        [line.partition(" # ")[0].strip() for line in block.splitlines()]
        for block in re.findall(r"(?<=\n\n)((?: {4}\S.*\n)+)", path.read_text())
    ]


RUN = [
    pytest.param("\n".join(block), id=re.sub(r"[^\w. -]", "", block[0]))
    for block in blocks(COMMAND_LINE)
    if not block[0].startswith(ELSEWHERE)
]


@pytest.fixture(scope="module")
def week() -> str:
    """JSON lines of two results, as `aqscore score --format jsonl` writes them."""
    paths = (EXAMPLES / "clean.flac", EXAMPLES / "noisy.flac")
    return "".join(Scorer().score(path, frames=False).model_dump_json() + "\n" for path in paths)


@pytest.fixture
def folder(tmp_path: Path, week: str) -> Path:
    """The files and folders that the commands name, and `aqscore` on the path."""
    for name in ("call.wav", "calls/a.wav", "incoming/b.wav", "old/c.wav", "new/c.wav", "clean/c.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(EXAMPLES / "clean.flac", tmp_path / name)  # the content decides, not the name
    for name in ("before.wav", "after.wav", "film.mkv"):
        shutil.copy(EXAMPLES / "noisy.flac", tmp_path / name)
    (tmp_path / "last").touch()
    os.utime(tmp_path / "last", (0, 0))
    (tmp_path / "last-week.jsonl").write_text(week)
    (tmp_path / "results.jsonl").write_text(week)
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "aqscore"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aqscore "$@"\n')
    command.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("block", RUN)
def test_the_commands_of_the_command_line_run(block: str, folder: Path) -> None:
    if "ffmpeg" in block and not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed")
    lines = [f"{line} --once" if line.startswith("aqscore watch") else line for line in block.splitlines()]
    for line in lines:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=folder,
            env=os.environ
            | {"HOME": str(folder), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
            | {"PYTHONPATH": str(ROOT / "function")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_commands_use_the_environment_of_the_checkout(path: Path) -> None:
    """A clean shell has no `python` with the packages, and zsh takes [extras] for a pattern."""
    for command in commands(path):
        assert not re.match(r"(python|pip) ", command), command
    for extras in re.findall(r"pip install (\S*\[[\w,]+\]\S*)", path.read_text()):
        assert extras.startswith("'"), extras


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_make_takes_the_documented_variables(path: Path) -> None:
    for command in commands(path):
        if re.match(r"make [a-z]", command):
            done = subprocess.run(
                ["bash", "-c", f"{command} --dry-run"], cwd=ROOT, capture_output=True, text=True
            )
            assert done.returncode == 0, f"{command}: {done.stderr}"
