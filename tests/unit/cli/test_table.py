"""The table: worst first, honest words, whole names where they fit, never wider than the terminal."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from aqscore.cli.table import clock, print_table, shortened
from aqscore.errors import CorruptAudio
from aqscore.report import warning
from tests.unit.cli.reports import cause, failure, report


def printed(results, *, width=120, sort="score") -> str:
    console = Console(file=io.StringIO(), width=width)
    print_table(results, console, sort)
    return console.file.getvalue()


def names_in(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines()[1:] if line.strip()]


def test_the_worst_recording_comes_first_and_no_score_last():
    results = [report("b.wav", 3.0), report("c.wav", None), report("a.wav", 1.5)]
    assert names_in(printed(results)) == ["a.wav", "b.wav", "c.wav"]
    assert names_in(printed(results, sort="given")) == ["b.wav", "c.wav", "a.wav"]
    assert names_in(printed(results, sort="name")) == ["a.wav", "b.wav", "c.wav"]


def test_an_interval_that_spans_verdicts_says_so():
    text = printed([report("a.wav", 3.0, half_width=0.8), report("b.wav", 3.1, half_width=0.1)])
    assert "fair, could be poor to good" in text
    assert "3.10" in text and "3.0 to 3.2" in text
    assert text.count("could be") == 1
    assert "excellent, could be good" in printed([report("a.wav", 4.1, half_width=0.2)])


def test_the_cause_is_beside_the_score():
    clipped = warning("clipped", share=0.05)
    text = printed([report("a.wav", 2.0, warnings=[clipped], snr_db=8.0)])
    assert "clipped" in text and "noise, SNR 8 dB" in text


def test_the_cause_of_the_report_stands_for_what_was_measured():
    clipped, narrow = warning("clipped", share=0.05), warning("narrow_band", bandwidth_hz=3400)
    causes = [cause("clipping", 0.004), cause("noise", 0.9)]
    text = printed([report("a.wav", 2.0, warnings=[clipped, narrow], snr_db=8.0, causes=causes)])
    assert "Clipping <1%, narrow band" in text
    assert "SNR" not in text and "clipped" not in text
    assert "SNR" not in printed([report("a.wav", 4.0, snr_db=8.0, causes=[])])


def test_columns_that_say_nothing_are_left_out():
    text = printed([report("a.wav", None), report("b.wav", None)])
    assert "Cause" not in text and "Worst second" not in text and "interval" not in text


def test_names_are_shortened_by_their_common_folder():
    text = printed([report("calls/may/1.wav"), report("calls/june/2.wav")])
    assert text.splitlines()[0].strip() == "in calls/"
    assert names_in(text)[1:] == ["june/2.wav", "may/1.wav"] or "may/1.wav" in text
    assert "calls/may" not in text


@pytest.mark.parametrize("width", [20, 40, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_names_stay(width):
    results = [
        report(
            f"/data/{'folder/' * 6}{'通話' * 9} {number:04}.wav",
            1.5 + number / 10,
            half_width=0.8,
            snr_db=7.5,
        )
        for number in range(20)
    ]
    text = printed(results, width=width)
    assert all(cell_len(line) <= width for line in text.splitlines())
    for number in range(20):
        assert f"{number:04}.wav"[-6:] in text


def test_errors_are_listed_below_whole():
    message = "The header is damaged " + "and more " * 30
    text = printed([failure("b[bold].wav", CorruptAudio(message)), report("a.wav")], width=60)
    words = " ".join(text.split())
    assert "Could not be scored: b[bold].wav" in words
    assert message.strip() in words
    assert CorruptAudio.advice in words
    assert words.index("a.wav") < words.index("b[bold].wav")


def test_channels_scored_apart_follow_their_recording():
    silent = report("calls/b.wav", 2.5, warnings=[warning("channel_silent", channels="2")])
    media = silent.media.model_copy(update={"channels": 2, "scored_channels": [1]})
    channels = [report("", 4.2), report("", None)]
    mix = silent.model_copy(update={"channels": channels, "media": media})
    lines = [line.rstrip() for line in printed([report("calls/a.wav", 3.0), mix]).splitlines()]
    assert lines[2].startswith("b.wav") and "2.50" in lines[2] and "channel 2 silent" in lines[2]
    assert lines[3].startswith("  channel 1") and "4.20" in lines[3] and "excellent" in lines[3]
    assert lines[4].startswith("  channel 2") and "no score" in lines[4]
    assert lines[5].startswith("a.wav")


@pytest.mark.parametrize(("seconds", "text"), [(3.31, "3.3 s"), (725.4, "12:05"), (3725, "1:02:05")])
def test_a_moment_is_said_as_a_clock_would(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize("width", range(1, 30))
def test_a_shortened_name_fits(width):
    text = shortened("通話/abcdefgh 0123.wav", width)
    assert cell_len(text) <= width
    assert text == "通話/abcdefgh 0123.wav" or "…" in text
