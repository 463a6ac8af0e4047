"""aqscore model: the card in short, and the check of files and scores."""

import json
import shutil
import subprocess
import sys

import pytest

from aqscore.cli.main import main
from aqscore.config import shipped_model
from tests.conftest import ROOT


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(shipped_model(), tmp_path / "model")


def test_the_command_shows_the_shipped_model_and_passes():
    done = subprocess.run(
        [sys.executable, "-m", "aqscore", "model"], cwd=ROOT / "function", capture_output=True, text=True
    )
    info = json.loads((shipped_model() / "model.json").read_text())
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{info['name']} {info['version']}, ")
    assert done.stdout.count(" ok\n") >= 7
    assert max(map(len, done.stdout.splitlines())) < 100


def test_a_score_that_differs_fails(folder, capsys):
    pinned = json.loads((folder / "conformance.json").read_text())
    pinned["scores"]["tone"] = 3.0
    (folder / "conformance.json").write_text(json.dumps(pinned))
    assert main(["model", "--model", str(folder)]) == 1
    assert "1 of 14 values differ from those pinned" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["changed", "missing", "no model"])
def test_a_damaged_model_is_named_with_advice(folder, capsys, damage):
    file = folder / ("model.json" if damage == "no model" else "model.onnx")
    file.unlink()
    if damage == "changed":
        file.write_bytes(b"another network")
    assert main(["model", "--model", str(folder)]) == 2
    assert str(file.name) in capsys.readouterr().err
