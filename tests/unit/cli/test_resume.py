"""--resume: rows that still hold are kept and skipped, all others are scored again."""

import io
import os

import pytest

from aqscore.cli.inputs import Input
from aqscore.cli.resume import MIN_COLUMNS, resume
from aqscore.cli.rows import COLUMNS, FORMATS, model_label
from aqscore.errors import BadRequest, CorruptAudio, DecoderLost
from tests.unit.cli.reports import failure, report

FORMS = ("jsonl", "csv", "tsv")
NAMES = (
    "plain.wav",
    "=1+1.wav",
    "two\nlines.wav",
    "tab\t.wav",
    'quo"te, comma.wav',
    os.fsdecode(b"caf\xe9.wav"),
)
SHA256 = "ab" * 32
MODEL = model_label("1.0.0", SHA256)


@pytest.fixture
def recordings(tmp_path):
    paths = [tmp_path / name for name in NAMES]
    for path in paths:
        path.write_bytes(b"sound")
    return [Input(str(path)) for path in paths]


def written(path, form, results) -> None:
    file = io.StringIO()
    rows = FORMATS[form](file)
    rows.begin()
    for result in results:
        rows.add(result)
    path.write_text(file.getvalue())


def scored(each: Input):
    return report("x").model_copy(update={"source": each.source(each.status())})


@pytest.mark.parametrize("form", FORMS)
def test_a_complete_output_leaves_nothing_to_do(tmp_path, recordings, form):
    output = tmp_path / "out"
    written(output, form, map(scored, recordings))
    before = output.read_bytes()
    left, rows = resume(output, form, recordings, MODEL)
    assert (left, [row.score for row in rows]) == ([], [3.0] * len(NAMES))
    assert output.read_bytes() == before


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cut", [1, 7, 60])
def test_a_row_that_was_cut_off_is_removed(tmp_path, recordings, form, cut):
    output = tmp_path / "out"
    written(output, form, map(scored, recordings))
    whole = output.read_bytes()
    output.write_bytes(whole[:-cut])
    left, _ = resume(output, form, recordings, MODEL)
    assert left == recordings[-1:]
    assert output.read_bytes() == b"".join(whole.splitlines(keepends=True)[:-1])


@pytest.mark.parametrize("form", FORMS)
def test_a_changed_file_or_another_model_is_scored_again(tmp_path, recordings, form):
    output = tmp_path / "out"
    written(output, form, map(scored, recordings))
    (tmp_path / NAMES[0]).write_bytes(b"longer sound")
    os.utime(recordings[1].path, (0, 0))
    left, rows = resume(output, form, recordings, MODEL)
    assert (left, len(rows)) == (recordings[:2], len(NAMES) - 2)
    left, rows = resume(output, form, recordings, model_label("1.0.1", SHA256))
    assert (left, rows) == (recordings, [])


@pytest.mark.parametrize("form", FORMS)
def test_permanent_errors_hold_and_others_are_tried_again(tmp_path, recordings, form):
    output = tmp_path / "out"
    sources = [each.source(each.status()) for each in recordings[:2]]
    errors = [CorruptAudio("Damaged."), DecoderLost("Killed.")]
    records = [
        failure("x", error).model_copy(update={"source": source})
        for error, source in zip(errors, sources, strict=True)
    ]
    written(output, form, records)
    left, [row] = resume(output, form, recordings[:2], MODEL)
    assert left == recordings[1:2]
    assert row.failed


@pytest.mark.parametrize("form", FORMS)
def test_rows_of_other_files_stay_and_a_missing_output_is_new(tmp_path, recordings, form):
    output = tmp_path / "out"
    assert resume(output, form, recordings, MODEL) == (recordings, [])
    written(output, form, map(scored, recordings[:1]))
    before = output.read_bytes()
    assert resume(output, form, recordings[1:], MODEL) == (recordings[1:], [])
    assert output.read_bytes() == before


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_the_output_of_an_earlier_version_gets_the_columns_that_it_lacks(tmp_path, recordings, form):
    output, separator = tmp_path / "out", "," if form == "csv" else "\t"
    written(output, form, map(scored, recordings))
    whole = output.read_text()
    earlier = [line.rsplit(separator, len(COLUMNS) - MIN_COLUMNS)[0] for line in whole.splitlines()]
    output.write_text("\n".join(earlier) + "\n")
    left, rows = resume(output, form, recordings, MODEL)
    assert (left, [row.score for row in rows]) == ([], [3.0] * len(NAMES))
    assert output.read_text() == whole


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("content", ["not a result\n", "[]\n", '{"a": 1}\n', "\x00\xff\n"])
def test_another_file_is_left_alone(tmp_path, recordings, form, content):
    output = tmp_path / "out"
    output.write_text(content)
    with pytest.raises(BadRequest):
        resume(output, form, recordings, MODEL)
    assert output.read_text() == content
