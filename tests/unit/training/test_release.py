"""training/release/promote.py: a model that conforms replaces the shipped one, any other is rejected."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from aqscore.config import ScorerConfig
from aqscore.pipeline import score_file
from aqscore.report import FileSource, Report
from tests.conftest import EXAMPLES
from training.release import conformance, promote

SHIPPED = ScorerConfig.from_env().model_dir
FILES = {"MODEL_CARD.md", "conformance.json", "model.json", "model.keras", "model.onnx"}
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported model, with the scores of this version of the pipeline pinned."""
    folder = Path(shutil.copytree(SHIPPED, tmp_path_factory.mktemp("export") / "model"))
    conformance.main(["--model", str(folder)])
    return folder


@pytest.fixture
def exported(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "exported"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A copy of the folder of the shipped model."""
    return shutil.copytree(SHIPPED, tmp_path / "artifacts")


def test_reports_name_the_promoted_model(exported: Path, out: Path) -> None:
    before = json.loads((out / "model.json").read_text())
    assert promote.main(
        ["--model", str(exported), "--out", str(out), "--name", "our-calls", "--version", "9.1.0"]
    ) == 0  # fmt: skip
    assert {path.name for path in out.iterdir()} == FILES
    after = json.loads((out / "model.json").read_text())
    assert {name for name in before if before[name] != after[name]} == {"name", "version"}
    assert "9.1.0" in (out / "MODEL_CARD.md").read_text()
    reports = []
    for folder in (SHIPPED, out):
        with (EXAMPLES / "clean.flac").open("rb") as file:
            scored = score_file(file, replace(ScorerConfig(), model_dir=folder), frames=False)
        reports.append(Report(source=FileSource(file="clean.flac"), **dict(scored)))
    assert [report.model.name for report in reports] == [before["name"], "our-calls"]
    assert reports[1].model.version == "9.1.0"
    assert reports[0].score == reports[1].score


def test_hashes_are_recomputed(exported: Path, out: Path) -> None:
    info = json.loads((exported / "model.json").read_text())
    info["files"]["onnx"]["sha256"] = "0" * 64
    (exported / "model.json").write_text(json.dumps(info))
    promote.promote(exported, out, None, "9.1.0")
    shipped = json.loads((SHIPPED / "model.json").read_text())
    assert json.loads((out / "model.json").read_text())["files"] == shipped["files"]


def test_a_model_that_does_not_conform_is_rejected_and_nothing_changes(
    exported: Path, out: Path, capsys
) -> None:
    pinned = json.loads((exported / "conformance.json").read_text())
    signal = next(name for name, value in pinned["scores"].items() if value is not None)
    pinned["scores"][signal] += 2 * pinned["tolerance"]
    (exported / "conformance.json").write_text(json.dumps(pinned))
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert promote.main(["--model", str(exported), "--out", str(out), "--version", "9.1.0"]) == 1
    assert "the model is not the one that was exported" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert {path.name for path in out.parent.iterdir()} == {"exported", "artifacts"}


def test_other_weights_need_another_version(exported: Path, out: Path, capsys) -> None:
    info = json.loads((out / "model.json").read_text())
    info["files"]["onnx"]["sha256"] = "0" * 64
    (out / "model.json").write_text(json.dumps(info))
    assert promote.main(["--model", str(exported), "--out", str(out)]) == 1
    assert "Give this one a version of its own" in capsys.readouterr().err


def test_a_folder_without_a_model_is_rejected(tmp_path: Path, out: Path, capsys) -> None:
    assert promote.main(["--model", str(tmp_path / "nothing"), "--out", str(out)]) == 1
    assert "expected a folder that training.release.export wrote" in capsys.readouterr().err
