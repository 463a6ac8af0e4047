"""The last lines of a run."""

from collections import Counter

from aqscore.cli.tally import Tally, skipped_line
from aqscore.errors import EmptyFile
from tests.unit.cli.reports import failure, report


def test_the_last_line_counts_everything():
    tally = Tally()
    for score in (1.5, 2.0, 4.0, None):
        tally.add(report("a.wav", score, duration_s=100.0))
    tally.add(failure("b.wav", EmptyFile("Empty.")))
    tally.add_earlier(failed=False, score=3.0)
    assert tally.line(3, 2.0) == (
        "4 scored, 1 without a score, 1 failed, 3 skipped, 1 of them from earlier · "
        "median 2.5 · 1 below 2.0 · 200x real time"
    )
    assert tally.finished == 5


def test_the_threshold_is_that_of_the_option():
    tally = Tally(2.75)
    tally.add(report("a.wav", 2.7))
    assert tally.below == 1
    assert "1 below 2.75" in tally.line(0, 1.0)


def test_skipped_files_are_counted_by_kind():
    assert skipped_line(Counter({".pdf": 1, ".txt": 2})) == "3 files skipped: .txt 2, .pdf 1"
