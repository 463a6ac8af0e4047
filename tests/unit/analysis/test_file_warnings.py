"""Warnings about a file: its tracks, its timestamps, and lengths in its header that are wrong."""

import pytest

from aqscore.analysis.file_warnings import LONG_GAP_S, file_warnings

ORDINARY = {
    "duration_s": 20.0, "tracks": 1, "track": 0, "gaps_s": 0.0, "longest_gap_s": 0.0, "unfinished": False,
    "stated_s": None,
}  # fmt: skip


def codes(**properties) -> dict[str, str]:
    """The warnings' codes -> their texts, for a file that is ordinary but for these."""
    return {each.code: each.message for each in file_warnings(**ORDINARY | properties)}


def test_an_ordinary_file_has_none():
    assert codes() == {}


def test_several_tracks_are_counted_from_one():
    assert codes(tracks=3, track=1) == {"several_tracks": "The file has 3 audio tracks. Track 2 was scored."}


@pytest.mark.parametrize("longest_gap_s", [LONG_GAP_S, 3.0])
def test_a_long_gap_is_mentioned_with_all_gaps(longest_gap_s):
    text = codes(gaps_s=4.5, longest_gap_s=longest_gap_s)["gaps"]
    assert "4.5 s" in text and f"{longest_gap_s:.1f} s" in text


def test_short_gaps_are_not_mentioned():
    assert codes(gaps_s=4.5, longest_gap_s=0.06) == {}


def test_wrong_lengths_are_mentioned_with_the_right_one():
    assert "All 20.0 s" in codes(unfinished=True)["unfinished"]
    text = codes(stated_s=10.0)["stale_header"]
    assert "states 10.0 s" in text and "all 20.0 s" in text
