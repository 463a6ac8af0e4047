"""aqscore summary: distribution, worst recordings, causes, errors and drift, as text and HTML."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from aqscore import ErrorRecord, Report, score
from aqscore.cli.bootstrap import Difference
from aqscore.cli.main import main
from aqscore.cli.summary import drift_sentence
from aqscore.errors import EmptyFile
from aqscore.report import FileSource, Warning
from aqscore.scale import verdict_of
from tests.conftest import EXAMPLES, ROOT
from tests.unit.cli.reports import cause
from tests.unit.cli.reports import report as made


@pytest.fixture(scope="module")
def report() -> Report:
    return score(EXAMPLES / "clean.flac", frames=False)


@pytest.fixture
def run_of(report, tmp_path):
    """Writes a run with these scores, None for a recording that failed, and returns its path."""

    def write(name: str, scores: list[float | None], version: str = "1.0.0", prefix: str = "call") -> Path:
        lines = []
        for number, value in enumerate(scores):
            source = FileSource(file=f"{prefix}-{number}.wav")
            if value is None:
                lines.append(ErrorRecord.of(EmptyFile("No bytes."), source).model_dump_json())
                continue
            warnings = [Warning(code="clipped", message="Clipped.")] if value < 2 else []
            update = {"source": source, "score": value, "verdict": verdict_of(value), "warnings": warnings}
            update["model"] = report.model.model_copy(update={"version": version})
            lines.append(report.model_copy(update=update).model_dump_json())
        path = tmp_path / name
        path.write_text("\n".join(lines))
        return path

    return write


SCORES = [1.2, 1.5, 1.9, 2.5, 3.0, 3.6, 3.7, 4.2, 4.3, 4.4, None]


def test_the_command_summarises_a_run(run_of):
    done = subprocess.run(
        [sys.executable, "-m", "aqscore", "summary", str(run_of("a.jsonl", SCORES)), "--worst", "2"],
        cwd=ROOT / "function",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == "11 recordings, 0.0 h: 10 scored, 0 without a score, 1 failed"
    assert any(line.startswith("Scores 5% 1.3") and "median 3.30" in line for line in lines)
    assert any(line.startswith("bad 3 30.0% ████") for line in lines)
    assert any(line.startswith("call-0.wav 1.20") for line in lines)
    assert not any(line.startswith("call-2.wav") for line in lines)
    assert "clipped 3 27.3% 1.53 3.67" in lines
    assert "empty_file 1 call-10.wav: No bytes." in lines


@pytest.mark.parametrize(
    ("prefix", "basis"), [("call", "10 recordings in both runs, paired"), ("other", "10 and 10 recordings")]
)
def test_drift_is_paired_where_the_recordings_are_the_same(run_of, capsys, prefix, basis):
    before = run_of("before.jsonl", SCORES)
    after = run_of("after.jsonl", [value and value - 0.15 for value in SCORES], "1.1.0", prefix)
    assert main(["summary", str(after), "--against", str(before)]) == 0
    shown = capsys.readouterr().out
    assert "The mean changed by -0.15" in shown and basis in shown
    assert ("more than chance explains" in shown) is (prefix == "call")
    assert "Below 2.0: 30.0% before, 30.0% now" in shown
    assert "The models differ" in shown and "1.1.0" in shown
    assert ("-0.15  call-0.wav" in shown) is (prefix == "call")


def test_the_page_is_html_with_the_same_content(run_of, tmp_path, capsys):
    page = tmp_path / "summary.html"
    path = run_of("a.jsonl", SCORES, prefix="<script>")
    assert main(["summary", str(path), "--against", str(path), "--html", str(page)]) == 0
    assert capsys.readouterr().out == ""
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_data = found.append
    parser.handle_starttag = lambda tag, attributes: found.append(f"<{tag}>")
    parser.feed(page.read_text())
    assert "<script>" not in found
    assert "median 3.30" in "".join(found) and "<script>-0.wav" in "".join(found)


def test_a_page_that_cannot_be_written_and_results_that_cannot_be_read_are_named(run_of, tmp_path, capsys):
    path = run_of("a.jsonl", SCORES)
    assert main(["summary", str(path), "--html", str(tmp_path / "no" / "page.html")]) == 2
    assert main(["summary", str(tmp_path / "missing.jsonl")]) == 2
    errors = capsys.readouterr().err
    assert errors.count("can't be written") == errors.count("can't be read") == 1


def test_a_narrow_terminal_shows_every_number_and_name(run_of, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["summary", str(run_of("a.jsonl", SCORES))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert "clipped         3  27.3%  1.53    3.67" in lines
    assert "…" not in "".join(lines)


def write_reports(path: Path, reports: list[Report]) -> Path:
    path.write_text("\n".join(each.model_dump_json() for each in reports))
    return path


def test_causes_and_mos_are_summarised_beside_results_of_earlier_models(tmp_path, capsys):
    reports = [
        made("a.wav", 1.5, mos=1.75, causes=[cause("packet_loss"), cause("noise")]),
        made("b.wav", 2.0, mos=2.25, causes=[cause("noise")]),
        made("c.wav", 4.5, mos=4.75, causes=[]),
        made("earlier.wav", 3.0),
    ]
    path = write_reports(tmp_path / "a.jsonl", reports)
    assert main(["summary", str(path)]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "4 recordings, 0.0 h: 4 scored, 0 without a score, 0 failed" in lines
    assert any(line.startswith("MOS 5% 1.8") and "median 2.25" in line for line in lines)
    assert "Causes files share mean others" in lines
    assert "Noise 2 66.7% 1.75 4.50" in lines
    assert "Dropouts 1 33.3% 1.50 3.25" in lines
    assert "a.wav 1.50 1.04 at 1.0 s Dropouts" in lines


def test_the_drift_of_causes_is_shown(tmp_path, capsys):
    before, after = (
        write_reports(
            tmp_path / f"{name}.jsonl",
            [made(f"{number}.wav", 3.0, causes=causes) for number, causes in enumerate(run)],
        )
        for name, run in (
            ("before", ([], [cause("noise")], [cause("noise")], None)),
            ("after", ([], [cause("noise"), cause("clipping")], [cause("noise")], [cause("noise")])),
        )
    )
    assert main(["summary", str(after), "--against", str(before)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "Clipping: 0.0% before, 25.0% now" in lines
    assert "Noise: 66.7% before, 75.0% now" in lines
    assert main(["summary", str(after), "--against", str(after)]) == 0
    assert "% before, 75" not in capsys.readouterr().out


def test_results_of_earlier_models_have_no_causes_or_mos(tmp_path, capsys):
    path = write_reports(tmp_path / "a.jsonl", [made("a.wav"), made("b.wav")])
    assert main(["summary", str(path), "--against", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "Cause" not in shown and "cause" not in shown and "MOS" not in shown


def test_a_run_without_scores_is_summarised(run_of, capsys):
    path = run_of("a.jsonl", [None, None])
    assert main(["summary", str(path), "--against", str(path)]) == 0
    assert "One of the runs has no scores" in capsys.readouterr().out


def test_the_sentence_says_whether_the_drift_may_be_chance():
    assert drift_sentence(Difference(-0.1, -0.2, -0.05, 0.01)).endswith("more than chance explains")
    assert drift_sentence(Difference(-0.1, -0.2, 0.05, 0.2)).endswith("which may be chance")
    assert drift_sentence(Difference(-0.1, None, None, None)).endswith(
        "too few recordings to tell it from chance"
    )
