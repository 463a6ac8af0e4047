"""The warnings about a file: its tracks, its timestamps, and lengths in its header that are wrong."""

from aqscore.audio.recording import Media
from aqscore.report import Warning, warning

LONG_GAP_S = 1.0  # shorter ones are lost packets and pauses


def file_warnings(media: Media) -> list[Warning]:
    """The properties of a file that was decoded to its end which its users should know."""
    found, findings = [], media.findings
    if media.tracks > 1:
        found.append(warning("several_tracks", tracks=media.tracks, track=media.track + 1))
    if findings.longest_gap_s >= LONG_GAP_S:
        found.append(warning("gaps", gaps_s=findings.gaps_s, longest_s=findings.longest_gap_s))
    if findings.unfinished:
        found.append(warning("unfinished", duration_s=media.duration_s))
    if findings.stated_s is not None:
        found.append(warning("stale_header", stated_s=findings.stated_s, duration_s=media.duration_s))
    return found
