"""Properties of a file that show while it is decoded: missing sound, wrong headers, gaps, several tracks."""

from dataclasses import dataclass


@dataclass
class Findings:
    """Complete once the file has been decoded to its end. Times are in seconds."""

    incomplete: bool = False  # the file announces sound that could not be decoded
    unfinished: bool = False  # the header has the length 0, as a recorder leaves it that was cut off
    stated_s: float | None = None  # the length in a header that states less than the file holds
    gaps_s: float = 0.0  # silence in place of gaps between the timestamps, in all
    longest_gap_s: float = 0.0
