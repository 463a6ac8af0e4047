"""The links of a file: pieces that each decode on their own, as in chained Ogg or joined MP3 files."""

from dataclasses import dataclass, field

from aqscore.audio.decoders.view import FileView
from aqscore.audio.findings import Findings


@dataclass
class Link:
    """A piece of a file, and properties of it that its structure shows."""

    view: FileView
    findings: Findings = field(default_factory=Findings)
    several_streams: bool = False  # beside the audio, as in a video
    stated_frames: int | None = None  # samples a channel, by the header
    sound_end: int | None = None  # offset in the view, None for its end
    least_frames: int = 0  # samples a channel, by the pieces of the codec that were counted
