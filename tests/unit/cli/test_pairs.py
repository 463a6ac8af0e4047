"""pairs.py: files that belong together, where two reports differ in time, and by which causes."""

from pathlib import Path

import pytest

from aqscore import Report, score
from aqscore.cli.pairs import changed_causes, match, stretches
from aqscore.report import Segment
from tests.conftest import EXAMPLES
from tests.unit.cli.reports import cause
from tests.unit.cli.reports import report as made

A, B = Path("a"), Path("b")


def matched(first: list[str], second: list[str]) -> tuple:
    found = match(A, B, [A / name for name in first], [B / name for name in second])
    names = {name: tuple(str(path) for path in pair) for name, pair in found.pairs.items()}
    return names, found.only_first, found.only_second


@pytest.mark.parametrize(
    ("first", "second", "pairs", "only_first", "only_second"),
    [
        (["x.wav"], ["x.wav"], {"x.wav": ("a/x.wav", "b/x.wav")}, (), ()),
        (["x.wav"], ["x.mp3"], {"x": ("a/x.wav", "b/x.mp3")}, (), ()),
        (["d/x.wav"], ["x.wav"], {}, ("d/x.wav",), ("x.wav",)),
        (["x.wav", "x.mp3"], ["x.wav"], {"x.wav": ("a/x.wav", "b/x.wav")}, ("x.mp3",), ()),
        (["x.wav", "x.mp3"], ["x.ogg"], {}, ("x.mp3", "x.wav"), ("x.ogg",)),
        (["x.1.wav"], ["x.2.wav"], {}, ("x.1.wav",), ("x.2.wav",)),
    ],
)
def test_files_of_one_name_are_pairs_whatever_their_suffix(first, second, pairs, only_first, only_second):
    assert matched(first, second) == (pairs, only_first, only_second)


@pytest.fixture(scope="module")
def report() -> Report:
    return score(EXAMPLES / "clean.flac", frames=False)


def timed(report: Report, *scores: float | None) -> Report:
    """The report with these scores by the second, None for a second without one."""
    timeline = [
        Segment(start_s=at, end_s=at + 1, score=value) for at, value in enumerate(scores) if value is not None
    ]
    return report.model_copy(update={"timeline": timeline})


def test_neighbouring_seconds_that_differ_make_a_stretch(report):
    first = timed(report, 4.0, 4.0, 4.1, 4.0, 1.5, 4.0)
    second = timed(report, 4.1, 2.0, 1.5, 4.0, 4.2, 3.4)
    found = [(each.start_s, each.end_s, each.first, each.second) for each in stretches(first, second)]
    assert found == [(4, 5, 1.5, 4.2), (1, 3, 4.0, 1.5), (5, 6, 4.0, 3.4)]


def test_a_stretch_has_the_cause_of_its_worst_second(report):
    first, second = timed(report, 4.0, 4.0), timed(report, 3.0, 1.5)
    kinds = ("noise", "clipping")
    for segment, kind in zip(second.timeline, kinds, strict=True):
        segment.cause = kind
    assert [each.cause for each in stretches(first, second)] == ["clipping"]
    assert [each.cause for each in stretches(second, first)] == ["clipping"]


def test_seconds_are_compared_by_their_time(report):
    first, second = timed(report, 4.0, None, 4.0, 2.0), timed(report, 4.0, 3.0, 4.0, 2.0, 1.1)
    assert stretches(first, second) == []


def test_causes_are_counted_in_both_versions():
    clean, noisy, both, earlier = (
        made("a.wav", causes=causes)
        for causes in ([], [cause("noise")], [cause("noise"), cause("clipping")], None)
    )
    pairs = [(noisy, both), (noisy, clean), (clean, both), (both, both), (noisy, earlier), (noisy, clean)]
    assert changed_causes(pairs) == [("clipping", 1, 3), ("noise", 4, 3)]
    assert changed_causes([(earlier, earlier)]) == []
