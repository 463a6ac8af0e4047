"""Names and messages: one line that no terminal and no spreadsheet takes for more than text."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqscore.cli.escaping import printable, spreadsheet_cell
from aqscore.cli.rows import Csv, Tsv
from tests.unit.cli.reports import report

# Every text that a file name can become: also lone surrogates, which stand for bytes outside UTF-8.
any_name = st.text(st.characters(codec=None, exclude_categories=[]), min_size=1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call 1.wav", "call 1.wav"),
        ("Grüße 通話 😀.wav", "Grüße 通話 😀.wav"),
        ("two\nlines\t.wav", "two\\nlines\\t.wav"),
        ("\x1b[2Jcleared.wav", "\\x1b[2Jcleared.wav"),
        ("\x9b2J.wav", "\\x9b2J.wav"),
        ("a\u202evaw.exe", "a\\u202evaw.exe"),
        ("caf\udce9.wav", "caf\\udce9.wav"),
    ],
)
def test_only_what_could_be_more_than_text_is_escaped(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_begins_a_formula(start):
    assert spreadsheet_cell(f"{start}cmd|' /C calc'!A0.wav").startswith("'")


@given(any_name)
def test_every_name_gets_one_line_of_a_table(name):
    for rows, delimiter in ((Tsv, "\t"), (Csv, ",")):
        file = io.StringIO()
        writer = rows(file)
        writer.begin()
        writer.add(report(name))
        text = file.getvalue()
        text.encode()  # in UTF-8
        header, line = text.removesuffix("\n").split("\n")
        assert len(text.splitlines()) == 2
        quoting = {"quoting": csv.QUOTE_NONE} if rows is Tsv else {}
        [cells] = csv.reader([line], delimiter=delimiter, **quoting)
        assert len(cells) == len(header.split(delimiter))
        assert float(cells[1]) == 3.0
