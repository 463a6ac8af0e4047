"""The outermost elements of MP4 and Matroska files: joined files, and elements that end behind the file.

MP4: ISO/IEC 14496-12, 4.2. Matroska: RFC 8794, 4 to 6, and RFC 9559, 5.1.
"""

from aqscore.audio.decoders.links import Link
from aqscore.audio.decoders.view import FileView
from aqscore.audio.findings import Findings

EBML = b"\x1aE\xdf\xa3"
SEGMENT = b"\x18\x53\x80\x67"


def mp4_links(view: FileView) -> list[Link]:
    """The links of an MP4 or MOV file: a new one begins with each ``ftyp`` behind a ``moov``."""
    starts, incomplete, index_seen, at = [0], False, False, 0
    while at + 8 <= view.size:
        head = view.at(at, 16)
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:], "big")
        if kind == b"ftyp" and index_seen:
            starts.append(at)
            index_seen = False
        index_seen = index_seen or kind == b"moov"
        if size == 0:  # up to the end
            break
        if size < 8 or not kind.strip().isalnum():
            break
        at += size
        incomplete = incomplete or at > view.size
    return _cut(view, starts, incomplete)


def matroska_links(view: FileView) -> list[Link]:
    """The links of a WebM or Matroska file: one for each EBML header."""
    starts = [at for at in view.find(EBML, 0) if b"webm" in view.at(at, 64) or b"matroska" in view.at(at, 64)]
    last = (starts or [0])[-1]
    at = next(view.find(SEGMENT, last), view.size) + len(SEGMENT)
    data = view.at(at, 8)
    incomplete = False
    if data:
        length = 9 - data[0].bit_length()  # RFC 8794, 4: of the size
        size = int.from_bytes(data[:length], "big") & ((1 << 7 * length) - 1)
        unknown = size == (1 << 7 * length) - 1
        incomplete = length <= 8 and not unknown and at + length + size > view.size
    return _cut(view, starts or [0], incomplete)


def _cut(view: FileView, starts: list[int], incomplete: bool) -> list[Link]:
    if len(starts) == 1:
        return [Link(view, Findings(incomplete=incomplete))]
    links = [Link(view.part(start, end)) for start, end in zip(starts, [*starts[1:], view.size], strict=True)]
    links[-1].findings.incomplete = incomplete
    return links
