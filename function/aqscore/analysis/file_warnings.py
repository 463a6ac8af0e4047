"""The warnings about a file: its tracks, its timestamps, and lengths in its header that are wrong."""

from aqscore.report import Warning, warning

LONG_GAP_S = 1.0  # shorter ones are lost packets and pauses


def file_warnings(
    *,
    duration_s: float,
    tracks: int,
    track: int,
    gaps_s: float,
    longest_gap_s: float,
    unfinished: bool,
    stated_s: float | None,
) -> list[Warning]:
    """The properties of a file that its users should know, as in Findings of aqscore.audio.

    ``duration_s`` is that of the decoded samples, ``track`` the scored one of ``tracks``, from 0.
    """
    found = []
    if tracks > 1:
        found.append(warning("several_tracks", tracks=tracks, track=track + 1))
    if longest_gap_s >= LONG_GAP_S:
        found.append(warning("gaps", gaps_s=gaps_s, longest_s=longest_gap_s))
    if unfinished:
        found.append(warning("unfinished", duration_s=duration_s))
    if stated_s is not None:
        found.append(warning("stale_header", stated_s=stated_s, duration_s=duration_s))
    return found
