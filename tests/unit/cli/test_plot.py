"""Plots: timelines of a few recordings, a ranking of many."""

import pytest

from aqscore.cli.plot import MAX_NAMED, MAX_TIMELINES, write_plot
from aqscore.errors import EmptyFile
from tests.unit.cli.reports import failure, report


def panels(path) -> int:
    return path.read_text().count('<g id="axes_')


@pytest.mark.parametrize("count", [1, MAX_TIMELINES])
def test_a_few_recordings_get_a_timeline_each(tmp_path, count):
    write_plot([report(f"{number}.wav") for number in range(count)], tmp_path / "a.svg")
    assert panels(tmp_path / "a.svg") == count


@pytest.mark.parametrize("count", [MAX_TIMELINES + 1, MAX_NAMED, MAX_NAMED + 1, 1_000])
def test_more_recordings_are_ranked_in_one_panel(tmp_path, count):
    results = [report(f"{number}.wav", 1.1 + 3.4 * number / count, half_width=0.8) for number in range(count)]
    write_plot(
        [*results, report("no_speech.wav", None), failure("x", EmptyFile("Empty."))], tmp_path / "a.svg"
    )
    assert panels(tmp_path / "a.svg") == 1
    assert (tmp_path / "a.svg").read_text().count("<use ") >= count


def test_a_plot_of_ten_thousand_recordings_has_an_ordinary_size(tmp_path):
    write_plot([report(f"{number}.wav", 3.0) for number in range(10_000)], tmp_path / "a.png")
    width, height = (int.from_bytes((tmp_path / "a.png").read_bytes()[at : at + 4]) for at in (16, 20))
    assert max(width, height) <= 1_200


@pytest.mark.parametrize("name", ["$\\alpha_{$.wav", "通話.wav", "two\nlines \x1b[0m.wav", "[b] <i>&.wav"])
@pytest.mark.parametrize("count", [1, MAX_TIMELINES + 1])
def test_any_name_is_drawn_as_text(tmp_path, name, count):
    write_plot([report(name)] * count, tmp_path / "a.svg")
    assert panels(tmp_path / "a.svg") == 1 if count > 1 else count


@pytest.mark.parametrize("results", [[], [report("a.wav", None)], [failure("a.wav", EmptyFile("Empty."))]])
def test_a_run_without_scores_gives_an_empty_plot(tmp_path, results):
    write_plot(results, tmp_path / "a.svg")
    assert panels(tmp_path / "a.svg") == 1
