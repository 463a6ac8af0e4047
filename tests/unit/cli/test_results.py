"""results.py: results of earlier runs in every form in which they are kept."""

import io
import json
import sys
from pathlib import Path

import pytest

from aqscore import ErrorRecord, Report, score
from aqscore.cli.results import read_results
from aqscore.errors import BadRequest, EmptyFile
from aqscore.report import FileSource, ObjectSource
from tests.conftest import EXAMPLES


@pytest.fixture(scope="module")
def results() -> list[Report | ErrorRecord]:
    noisy = score(EXAMPLES / "noisy.flac")
    stored = noisy.model_copy(update={"source": ObjectSource(bucket="b", key="calls/1.wav")})
    return [noisy, stored, ErrorRecord.of(EmptyFile("No bytes."), FileSource(file="empty.wav"))]


@pytest.fixture
def lines(results) -> list[str]:
    return [result.model_dump_json() + "\n" for result in results]


def check(found, results) -> None:
    assert [row.name for row in found.rows] == [results[0].source.file, "calls/1.wav", "empty.wav"]
    assert [row.score for row in found.rows] == [results[0].score, results[0].score, None]
    assert found.rows[2].error == "empty_file" and found.rows[0].error is None


def test_json_lines_an_array_and_a_folder_hold_the_same(results, lines, tmp_path):
    (tmp_path / "lines.jsonl").write_text("".join(lines))
    (tmp_path / "array.json").write_text(json.dumps([json.loads(line) for line in lines], indent=2))
    folder = tmp_path / "folder"
    (folder / "deeper").mkdir(parents=True)
    for name, line in zip(("a.json", "b.json", "deeper/c.json"), lines, strict=True):
        (folder / name).write_text(json.dumps(json.loads(line), indent=2))
    for path in (tmp_path / "lines.jsonl", tmp_path / "array.json", folder):
        check(read_results(path), results)


def test_standard_input_is_read(results, lines, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(lines)))
    check(read_results(Path("-")), results)


def test_a_line_that_was_cut_short_is_counted(results, lines, tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text("".join([*lines, lines[0][:100]]))
    found = read_results(path)
    check(found, results)
    assert found.skipped == 1


@pytest.mark.parametrize("content", ["", "{}", "[1, 2]", "file\tscore\na.wav\t3.2\n", "\0\udcff"])
def test_a_file_without_results_is_named(tmp_path, content):
    path = tmp_path / "scores"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadRequest, match=f"{path} (holds no results|can't be read)"):
        read_results(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadRequest, match="can't be read"):
        read_results(tmp_path / "missing.jsonl")
