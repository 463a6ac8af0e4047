"""The wheel: what it holds, and that it works from any folder without the checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import EXAMPLES, ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built as `pip install .` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder with the unpacked wheel."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True
    )


def test_it_holds_the_package_the_page_and_the_model_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = ROOT / "function" / "aqscore"
    sources = {
        f"aqscore/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    model = {f"aqscore/model_artifacts/{path.name}" for path in (ROOT / "model_artifacts").iterdir()}
    samples = {f"aqscore/http/page/samples/{path.name}" for path in EXAMPLES.glob("*.flac")}
    assert {name for name in names if ".dist-info/" not in name} == sources | model | samples
    assert {"aqscore/py.typed", "aqscore/http/page/index.html"} <= names


def test_it_scores_from_any_folder(installed, tmp_path):
    done = run(
        installed, tmp_path, "-m", "aqscore", "score", str(EXAMPLES / "noisy.flac"), "--format", "jsonl"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["score"]


def test_its_library_scores_and_uses_its_own_model(installed, tmp_path):
    code = (
        "import aqscore; from aqscore.config import shipped_model; "
        f"print(aqscore.score({str(EXAMPLES / 'noisy.flac')!r}).score, shipped_model())"
    )
    done = run(installed, tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr
    score, folder = done.stdout.split()
    assert float(score)
    assert folder == str(installed / "aqscore" / "model_artifacts")


def test_version_prints_both_versions(installed, tmp_path):
    done = run(installed, tmp_path, "-m", "aqscore", "--version")
    model = json.loads((ROOT / "model_artifacts" / "model.json").read_text())
    assert done.returncode == 0
    assert done.stdout.startswith("aqscore ")
    assert done.stdout.endswith(f", model {model['name']} {model['version']}\n")


def test_the_changelog_has_a_release_of_this_version(installed, tmp_path):
    version = run(installed, tmp_path, "-c", "import aqscore; print(aqscore.__version__)").stdout.strip()
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert any(heading.startswith(f"## {version} - ") for heading in headings)
