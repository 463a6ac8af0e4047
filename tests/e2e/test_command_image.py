"""The image of the command: the documented lines build it, and it scores a folder without a network.

Needs a container engine, Docker or podman.
"""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks import engine
from infra.image.base import base_image
from tests.conftest import EXAMPLES, ROOT

TAG = "localhost/aqscore-command-test"


def documented(verb: str) -> list[str]:
    """The words of the line `docker VERB ...` in docs/command-line.md, for the engine that is here."""
    [line] = re.findall(rf"^ {{4}}docker {verb} (.+)$", (ROOT / "docs/command-line.md").read_text(), re.M)
    words = [TAG if word == "aqscore" else word for word in shlex.split(line)]
    return [engine.command() or "docker", verb, *words]


@pytest.fixture(scope="module")
def image() -> str:
    if engine.command() is None:
        pytest.skip("no container engine is running: start Docker, or podman's service")
    # Podman builds on the host's network. AQSCORE_BASE_IMAGE stands in for the pinned base.
    words = documented("build")
    words[2:2] = ["--network=host", "--build-arg", f"BASE={base_image()}"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return TAG


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "calls").mkdir()
    shutil.copy(EXAMPLES / "clean.flac", tmp_path / "calls" / "a call.flac")
    return tmp_path


def test_the_documented_line_scores_a_folder(image: str, folder: Path) -> None:
    words = [word.replace("$PWD", str(folder)) for word in documented("run")]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    header, row = (line.split("\t") for line in done.stdout.splitlines())
    scored = dict(zip(header, row, strict=True))
    assert scored["file"] == "/data/a call.flac" and float(scored["score"]) > 3
    assert "sandbox" not in done.stderr and "Traceback" not in done.stderr


def test_the_image_checks_its_model(image: str) -> None:
    done = subprocess.run(
        [engine.command() or "docker", "run", "--rm", image, "model"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_build_refuses_unknown_formats(image: str) -> None:
    words = documented("build")
    words[2:2] = ["--network=host", "--build-arg", f"BASE={base_image()}", "--build-arg", "FORMATS=some"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0 and "expected all or basic" in done.stdout + done.stderr
