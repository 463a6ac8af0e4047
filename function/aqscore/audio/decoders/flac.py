"""The links of FLAC files, and the number of samples that their headers state (RFC 9639, 8.2)."""

from aqscore.audio.decoders.links import Link
from aqscore.audio.decoders.view import FileView

MAGIC = b"fLaC"
STREAMINFO = (b"\x00\x00\x00\x22", b"\x80\x00\x00\x22")  # the first block of metadata, 34 bytes long
TOTAL_AT = 21  # offset of the number of samples: the lower half of a byte, then four


def flac_links(view: FileView) -> list[Link]:
    """The links of a FLAC file: one for each header.

    libsndfile stops after the stated number of samples. So the decoder gets no such number; the link has it.
    """
    starts = [at for at in view.find(MAGIC, 0) if view.at(at + 4, 4) in STREAMINFO] or [0]
    links = []
    for start, end in zip(starts, [*starts[1:], view.size], strict=True):
        byte, *lower = view.at(start + TOTAL_AT, 5).ljust(5, b"\0")
        stated = (byte & 15) << 32 | int.from_bytes(bytes(lower), "big")
        replaced = {TOTAL_AT: bytes([byte & 0xF0, 0, 0, 0, 0])}
        links.append(Link(view.part(start, end, replaced=replaced), stated_frames=stated or None))
    return links
