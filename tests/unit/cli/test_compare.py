"""aqscore compare: two recordings or two folders, with and without references."""

import json
import shutil
import subprocess
import sys
from functools import partial

import pytest

from aqscore.cli.bootstrap import Difference
from aqscore.cli.compare import sentence
from aqscore.cli.main import main
from aqscore.report import Report
from aqscore.scorer import Scorer
from tests.conftest import EXAMPLES, ROOT
from tests.unit.cli.reports import cause, report

CLEAN, NOISY = EXAMPLES / "clean.flac", EXAMPLES / "noisy.flac"


@pytest.fixture
def folders(tmp_path):
    """Two folders with six pairs, one of which can't be scored, and a recording without a partner."""
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, recording, suffix in ((old, CLEAN, "flac"), (new, NOISY, "wav")):
        folder.mkdir()
        for number in range(6):
            shutil.copy(recording, folder / f"{number}.{suffix}")
    (new / "0.wav").write_text("no recording")
    shutil.copy(CLEAN, old / "alone.flac")
    return old, new


def compared(capsys, *arguments: object) -> tuple[int, dict]:
    status = main(["compare", *map(str, arguments), "--format", "json"])
    return status, json.loads(capsys.readouterr().out)


def test_two_recordings_are_compared_in_time(capsys):
    status, found = compared(capsys, CLEAN, NOISY)
    [pair] = found["pairs"]
    assert status == 0
    assert pair["difference"] == round(pair["second"]["score"] - pair["first"]["score"], 3) < -1
    assert pair["stretches"][0]["start_s"] <= 3 <= pair["stretches"][0]["end_s"]
    assert found["mean_difference"]["low"] is None


def test_the_command_shows_folders_pair_by_pair_and_over_the_set(folders):
    done = subprocess.run(
        [sys.executable, "-m", "aqscore", "compare", *map(str, folders)],
        cwd=ROOT / "function",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["recording", "A", "B", "B", "-", "A", "differs", "most"]
    assert lines[6].split()[0] == "0" and "error" in lines[6]  # the pair that can't be scored comes last
    assert "0.wav (B): " in lines[7] and "Check how the file was made" in lines[7]
    assert lines[8] == "1 only in A: alone.flac"
    assert (
        lines[9].startswith("5 pairs: B is ")
        and " lower on average" in lines[9]
        and "Too few pairs" in lines[9]
    )


def test_pesq_stands_beside_the_estimate_where_there_are_references(folders, tmp_path, capsys):
    pytest.importorskip("pesq")
    old, new = folders
    clean = tmp_path / "clean"
    clean.mkdir()
    shutil.copy(CLEAN, clean / "1.flac")
    _, found = compared(capsys, old, new, "--reference", clean)
    pesq = {pair["name"]: (pair["first"]["pesq"], pair["second"]["pesq"]) for pair in found["pairs"]}
    assert pesq["1"][0] > 4.6 and pesq["1"][1] < 3
    assert pesq["2"] == (None, None)
    _, found = compared(capsys, CLEAN, NOISY, "--reference", CLEAN)
    assert found["pairs"][0]["first"]["pesq"] > 4.6


def test_a_reference_without_pesq_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pesq", None)
    assert main(["compare", str(CLEAN), str(NOISY), "--reference", str(CLEAN)]) == 2
    assert "pip install pesq" in capsys.readouterr().err


def test_what_cannot_be_compared_is_named(tmp_path, capsys):
    assert main(["compare", str(CLEAN), str(tmp_path)]) == 2
    assert "two recordings, or two folders" in capsys.readouterr().err
    assert main(["compare", str(tmp_path), str(tmp_path)]) == 2
    assert "no recordings of the same name" in capsys.readouterr().err
    assert main(["compare", str(CLEAN), str(NOISY), "--jobs", "0"]) == 2
    assert "jobs is 0" in capsys.readouterr().err
    assert main(["compare", "missing.wav", str(NOISY)]) == 1
    assert "missing.wav (A): " in capsys.readouterr().out


def compared_lines(capsys, monkeypatch, folders, versions: list[Report]) -> list[str]:
    """The lines after the table, for made reports in place of those of the recordings: A, B, A, B, ..."""
    monkeypatch.setattr(Scorer, "score_many", lambda *_, **__: (each for each in versions))
    main(["compare", *map(str, folders)])
    return capsys.readouterr().out.splitlines()[1 + len(versions) // 2 :]


def test_mos_and_causes_of_a_pair_are_shown(capsys, monkeypatch):
    before = report("a.wav", 3.0, mos=3.25, causes=[cause("reverberation", 0.8), cause("noise", 0.1)])
    after = report("b.wav", 3.5, mos=4.0, causes=[])
    shown = partial(compared_lines, capsys, monkeypatch, (CLEAN, NOISY))
    assert shown([before, after]) == [
        "MOS: 3.25 in A, 4.00 in B",
        "Causes: Reverberation 80%, Noise 10% in A; none in B",
    ]
    assert shown([report("a.wav"), after]) == []  # of an earlier model


def test_mos_and_causes_over_a_set_are_shown(capsys, monkeypatch, folders):
    versions = [
        report("x.wav", 3.0, mos=mos, causes=causes)
        for mos, causes in ((3.5, []), (3.0, [cause("clipping")]))
    ]
    lines = compared_lines(capsys, monkeypatch, folders, versions * 6)
    assert "6 pairs: the MOS of B is 0.50 lower on average" in lines[-2]
    assert lines[-1] == "Clipping: 0 in A, 6 in B"


def test_the_sentence_says_whether_a_difference_may_be_chance():
    assert sentence(Difference(-0.3, None, None, None), 3, "the MOS of B").startswith(
        "3 pairs: the MOS of B is 0.30 lower on average."
    )
    real = sentence(Difference(-0.21, -0.3, -0.12, 0.0002), 40)
    assert real == (
        "40 pairs: B is 0.21 lower on average (95 % interval -0.30 to -0.12, paired bootstrap, p < 0.001)."
    )
    assert sentence(Difference(0.05, -0.1, 0.2, 0.4), 40).endswith("p = 0.400). That may be chance.")
