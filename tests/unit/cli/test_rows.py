"""rows.py: the columns of TSV and CSV."""

import csv
import io

import pytest

from aqscore.cli.rows import COLUMNS, FORMATS
from aqscore.errors import CorruptAudio
from tests.unit.cli.reports import cause, failure, report

DELIMITERS = {"tsv": "\t", "csv": ","}


@pytest.mark.parametrize("form", DELIMITERS)
def test_mos_and_main_cause_are_the_last_columns(form):
    file = io.StringIO()
    rows = FORMATS[form](file)
    rows.begin()
    for result in (
        report("damaged.wav", 2.0, mos=2.25, causes=[cause("packet_loss"), cause("noise")]),
        report("clean.wav", 4.5, mos=4.75, causes=[]),
        report("earlier.wav"),
        failure("broken.wav", CorruptAudio("Damaged.")),
    ):
        rows.add(result)
    file.seek(0)
    table = list(csv.DictReader(file, delimiter=DELIMITERS[form]))
    assert tuple(table[0]) == COLUMNS and COLUMNS[-2:] == ("mos", "cause")
    assert [(row["mos"], row["cause"]) for row in table] == [
        ("2.25", "packet_loss"), ("4.75", ""), ("", ""), ("", ""),
    ]  # fmt: skip
