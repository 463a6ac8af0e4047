"""The pages of an Ogg file: its links and their ends (RFC 3533, 4 and 6).

A file may hold one physical stream after the other ("chaining"). libsndfile decodes the first.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aqscore.audio.decoders.links import Link
from aqscore.audio.decoders.view import FileView
from aqscore.audio.findings import Findings

CAPTURE = b"OggS"
HEADER_BYTES = 27
FIRST, LAST = 2, 4  # flags of the first and of the last page of a stream
AUDIO = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC", b"Speex   ")


@dataclass(frozen=True)
class Page:
    """One page: offsets, flags, the stream's serial number, and the first bytes of its content."""

    start: int
    end: int
    flags: int
    serial: bytes
    content: bytes


def pages(view: FileView) -> Iterator[Page | None]:
    """Yields the pages; None in place of bytes that are none, and of a page that is cut."""
    at = 0
    while at < view.size:
        head = view.at(at, HEADER_BYTES + 255)
        if not head.startswith(CAPTURE):
            yield None
            at = next(view.find(CAPTURE, at + 1), view.size)
            continue
        if len(head) < HEADER_BYTES or len(head) < HEADER_BYTES + head[26]:
            yield None
            return
        content = at + HEADER_BYTES + head[26]
        end = content + sum(head[HEADER_BYTES : HEADER_BYTES + head[26]])
        if end > view.size:
            yield None
            at = next(view.find(CAPTURE, at + 1), view.size)
            continue
        yield Page(at, end, head[5], head[14:18], view.at(content, min(8, end - content)))
        at = end


def ogg_links(view: FileView) -> list[Link]:
    """The links of an Ogg file. One is incomplete that is damaged or has no last page."""
    links: list[Link] = []
    starts: list[int] = []
    streams: set[bytes] = set()  # of the link
    open_audio: set[bytes] = set()  # those of its audio streams that have had no last page
    in_beginning = False  # among the first pages of a link
    for page in pages(view):
        if page is None:
            if links:
                links[-1].findings.incomplete = True
            continue
        if page.flags & FIRST and not in_beginning:
            if open_audio:
                links[-1].findings.incomplete = True
            links.append(Link(view))
            starts.append(page.start)
            streams, open_audio = set(), set()
        in_beginning = bool(page.flags & FIRST)
        if in_beginning:
            streams.add(page.serial)
            links[-1].several_streams = len(streams) > 1
            if page.content.startswith(AUDIO):
                open_audio.add(page.serial)
        if page.flags & LAST:
            open_audio.discard(page.serial)
    if not links:
        return [Link(view, Findings(incomplete=True))]
    links[-1].findings.incomplete |= bool(open_audio)
    if len(links) > 1 or starts[0] > 0:
        for link, start, end in zip(links, starts, [*starts[1:], view.size], strict=True):
            link.view = view.part(start, end)
    return links
