"""The elements of recordings, such as chunks, boxes, pages and frames, and mutations of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np

MAX_ELEMENTS = 4_000
MP4_PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf", b"udta", b"stsd")
# Segment, Cluster, Tracks, TrackEntry, Audio, Info, Cues, BlockGroup: RFC 9559, 27.1.
EBML_PARENTS = (0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE, 0xE1, 0x1549A966, 0x1C53BB6B, 0xA0)
AMR_BYTES = {
    b"#!AMR\n": (12, 13, 15, 17, 19, 20, 26, 31, 5),
    b"#!AMR-WB\n": (17, 23, 32, 36, 40, 46, 50, 58, 60, 5),
}
SIZES = (0, 1, 7, 8, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF7, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
FIELD_BYTES = (1, 2, 4, 8)


@dataclass(frozen=True)
class Element:
    """A piece of a file, the place of its size, if it has one, and where its content begins."""

    start: int
    content: int
    end: int
    size: tuple[int, int, Literal["little", "big"]] | None = None  # offset, bytes, order


def elements(data: bytes) -> list[Element]:
    """The elements of a recording; none of a format without any."""
    found = _reader(data)
    return [] if found is None else list(islice(found(data), MAX_ELEMENTS))


def _reader(data: bytes) -> Callable[[bytes], Iterator[Element]] | None:
    readers: dict[bytes, Callable[[bytes], Iterator[Element]]] = {
        b"RIFF": lambda data: _chunks(data, 12, 4, 4, "little"),
        b"RIFX": lambda data: _chunks(data, 12, 4, 4, "big"),
        b"RF64": lambda data: _chunks(data, 12, 4, 4, "little"),
        b"riff": lambda data: _chunks(data, 40, 16, 8, "little", counted=24),
        b"FORM": lambda data: _chunks(data, 12, 4, 4, "big"),
        b"caff": lambda data: _chunks(data, 8, 4, 8, "big", pad=1),
        b"\x1aE\xdf\xa3": lambda data: _ebml(data, 0, len(data)),
        b"OggS": _pages,
        b"fLaC": _flac,
        b"#!AM": _amr,
    }
    if data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return lambda data: _boxes(data, 0, len(data))
    if data[:3] == b"ID3" or data[:1] == b"\xff":
        return _frames
    return readers.get(data[:4])


def _chunks(
    data: bytes,
    at: int,
    name: int,
    length: int,
    order: Literal["little", "big"],
    counted: int = 0,
    pad: int = 2,
) -> Iterator[Element]:
    yield Element(0, 0, at, (4 if counted == 0 else 16, length, order))
    while at + name + length <= len(data):
        size = int.from_bytes(data[at + name : at + name + length], order) - counted
        content = at + name + length
        end = min(content + max(size, 0), len(data))
        yield Element(at, content, end, (at + name, length, order))
        at = end + (-end % 8 if counted else (end - content) % pad)


def _boxes(data: bytes, at: int, stop: int) -> Iterator[Element]:
    while at + 8 <= stop:
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = min(at + max(size, 8), stop)
        yield Element(at, at + 8, end, (at, 4, "big"))
        if kind in MP4_PARENTS:
            yield from _boxes(data, at + 8 + (8 if kind == b"stsd" else 0), end)
        at = end


def _ebml(data: bytes, at: int, stop: int) -> Iterator[Element]:
    while at < stop:
        length = 9 - data[at].bit_length()
        name, size_at = int.from_bytes(data[at : at + length], "big"), at + length
        if length > 4 or size_at >= stop:
            return
        size_bytes = 9 - data[size_at].bit_length()
        size = int.from_bytes(data[size_at : size_at + size_bytes], "big") & ((1 << 7 * size_bytes) - 1)
        content = size_at + size_bytes
        end = min(content + size, stop)
        yield Element(at, content, end, (size_at, size_bytes, "big"))
        if name in EBML_PARENTS:
            yield from _ebml(data, content, end)
        at = max(end, at + 1)


def _pages(data: bytes) -> Iterator[Element]:
    at = 0
    while data[at : at + 4] == b"OggS" and at + 27 <= len(data):
        content = at + 27 + data[at + 26]
        end = min(content + sum(data[at + 27 : content]), len(data))
        yield Element(at, content, end, (at + 26, 1, "little"))
        at = end


def _flac(data: bytes) -> Iterator[Element]:
    at, last = 4, False
    while not last and at + 4 <= len(data):
        last = data[at] >= 128
        end = min(at + 4 + int.from_bytes(data[at + 1 : at + 4], "big"), len(data))
        yield Element(at, at + 4, end, (at + 1, 3, "big"))
        at = end
    while at < len(data):
        end = data.find(b"\xff\xf8", at + 2)
        end = len(data) if end < 0 else end
        yield Element(at, min(at + 4, end), end)
        at = end


def _amr(data: bytes) -> Iterator[Element]:
    magic = next((each for each in AMR_BYTES if data.startswith(each)), b"")
    at = len(magic)
    while magic and at < len(data):
        kind = data[at] >> 3 & 15
        sizes = AMR_BYTES[magic]
        end = min(at + 1 + (sizes[kind] if kind < len(sizes) else 0), len(data))
        yield Element(at, at + 1, end)
        at = end


def _frames(data: bytes) -> Iterator[Element]:
    """Of MP3 and ADTS: from one header to the next that looks like it."""
    at = max(data.find(b"\xff"), 0)
    header = data[at : at + 2]
    while at < len(data):
        end = data.find(header, at + 4)
        end = len(data) if end < 0 else end
        yield Element(at, min(at + 4, end), end)
        at = end


def mutate_structure(data: bytearray, rng: np.random.Generator, other: bytes) -> bool:
    """Changes an element, or its place. Returns whether there is one. ``other`` is another recording."""
    found = elements(bytes(data))
    if not found:
        return False
    one, two = (found[rng.integers(len(found))] for _ in range(2))
    match rng.integers(9):
        case 0 | 1 if one.size is not None:
            _resize(data, one, rng)
        case 2:
            del data[one.start : one.end]
        case 3:
            data[one.end : one.end] = data[one.start : one.end]
        case 4:
            data[two.start : two.start] = data[one.start : one.end]
        case 5:
            _set_field(data, one, rng)
        case 6:
            del data[one.end :]
        case 7:
            foreign = elements(other)
            if foreign:
                piece = foreign[rng.integers(len(foreign))]
                data[one.start : one.end] = other[piece.start : piece.end]
        case _:
            data[one.end : one.end] = other
    return True


def _resize(data: bytearray, element: Element, rng: np.random.Generator) -> None:
    assert element.size is not None
    offset, length, order = element.size
    size = element.end - element.content
    near = (size - 1, size + 1, size // 2, size * 2, len(data), len(data) - element.content)
    choices = (*near, *SIZES)
    value = max(0, choices[rng.integers(len(choices))])
    data[offset : offset + length] = (value & ((1 << 8 * length) - 1)).to_bytes(length, order)


def _set_field(data: bytearray, element: Element, rng: np.random.Generator) -> None:
    """Writes a boundary value over a field in the first bytes of the content."""
    length = FIELD_BYTES[rng.integers(len(FIELD_BYTES))]
    reach = min(element.end - element.content, 48) - length
    if reach < 0:
        return
    at = element.content + int(rng.integers(reach + 1))
    value = SIZES[rng.integers(len(SIZES))] & ((1 << 8 * length) - 1)
    data[at : at + length] = value.to_bytes(length, "big" if rng.random() < 0.5 else "little")
