"""The frames of AMR files (RFC 4867, 5.3): joined files, and files that are cut within a frame."""

from aqscore.audio.decoders.links import Link
from aqscore.audio.decoders.view import FileView
from aqscore.audio.findings import Findings

NARROW, WIDE = b"#!AMR\n", b"#!AMR-WB\n"
# Bytes behind the first one of a frame, by its type: table 2 of 3GPP TS 26.101, table 3 of TS 26.201.
BYTES = {
    NARROW: (12, 13, 15, 17, 19, 20, 26, 31, 5, 6, 5, 5, 0, 0, 0, 0),
    WIDE: (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0),
}


def amr_links(view: FileView) -> list[Link]:
    """The links of an AMR file: one for each magic number."""
    starts: list[int] = []
    at = 0
    while at < view.size:
        head = view.at(at, len(WIDE))
        magic = next((each for each in BYTES if head.startswith(each)), None)
        if magic:
            starts.append(at)
            at += len(magic)
            sizes = BYTES[magic]
        else:
            at += 1 + sizes[head[0] >> 3 & 15]
    links = [Link(view.part(start, end)) for start, end in zip(starts, [*starts[1:], view.size], strict=True)]
    links[-1].findings = Findings(incomplete=at > view.size)
    return links
