"""The links of files whose headers state the size of their samples, with those sizes corrected."""

from aqscore.audio.decoders.links import Link
from aqscore.audio.decoders.mpeg_audio import mp3_links
from aqscore.audio.decoders.sizes import SoundData, sound_data
from aqscore.audio.decoders.view import FileView
from aqscore.audio.findings import Findings

UNKNOWN_BYTES = 2**48  # no real file has as many
NEAR_BYTES = 2**25  # placeholders lie so near to 2^31 or 2^32
LEAST_REST_S = 0.1  # less behind the samples is no sound
METADATA = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"fact", b"PEAK", b"JUNK", b"junk", b"iXML", b"_PMX", b"cue ")
SIGNATURES = (b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM", b".snd", b"caff")
TEXT = bytes(range(32, 127)) + b"\t\r\n"


def sized_links(view: FileView) -> list[Link]:
    """The links of a WAV, RIFX, RF64, W64, AIFF, AU or CAF file, and of those joined to it."""
    data = sound_data(view)
    if data is None or data.start > view.size:
        return [Link(view)]
    available = view.size - data.start
    if is_placeholder(data.stated, available):
        return [Link(_corrected(view, data))]
    if data.stated > available:
        # A padding byte may be missing.
        return [Link(view, Findings(incomplete=data.stated > available + 1))]
    end = data.start + data.stated
    joined = next((at for at in (end, end + data.stated % 2) if _is_signature(view, at)), None)
    if joined is not None:
        first = view if data.stated == 0 else view.part(0, joined)
        return [Link(first), *sized_links(view.part(joined))]
    if not _is_sound(view, end, data):
        return [Link(view, sound_end=end)]
    if data.stated == 0:
        return [Link(_corrected(view, data), Findings(unfinished=True))]
    stated_s = data.stated / data.bytes_per_s if data.bytes_per_s else 0.0
    return [Link(_corrected(view, data), Findings(stated_s=stated_s))]


def mp3_in_wav_links(view: FileView) -> list[Link]:
    """The links of the MP3 in a WAV file."""
    data = sound_data(view)
    assert data is not None
    available = view.size - data.start
    known = 0 < data.stated <= available
    links = mp3_links(view.part(data.start, data.start + data.stated if known else None))
    if links and data.stated > available + 1 and not is_placeholder(data.stated, available):
        links[-1].findings.incomplete = True
    return links


def is_placeholder(stated: int, available: int) -> bool:
    """Whether a header states this size because its writer did not know it.

    ``available`` is the number of bytes that there are.
    """
    near = abs(stated - 2**31) <= NEAR_BYTES or 2**32 - NEAR_BYTES <= stated < 2**32 + NEAR_BYTES
    return stated >= UNKNOWN_BYTES or (near and available < stated // 2)


def _corrected(view: FileView, data: SoundData) -> FileView:
    """The file with a header that states all bytes up to its end."""
    return view.part(0, replaced={field.offset: field.of_end(view.size) for field in data.fields})


def _is_signature(view: FileView, at: int) -> bool:
    return view.at(at, 4) in SIGNATURES and sound_data(view.part(at)) is not None


def _is_sound(view: FileView, at: int, data: SoundData) -> bool:
    """Whether samples lie there: at least LEAST_REST_S, and no chunks, no text, not only zeros."""
    rest = view.size - at
    if rest <= LEAST_REST_S * data.bytes_per_s or rest < 2:
        return False
    if data.chunk_sizes and any(_is_chunk(view, at + pad, data) for pad in (0, 1)):
        return False
    if not view.at(at, 64).strip(TEXT):
        return False
    step = 1 << 16
    return any(view.at(offset, step).strip(b"\0") for offset in range(at, view.size, step))


def _is_chunk(view: FileView, at: int, data: SoundData) -> bool:
    assert data.chunk_sizes is not None
    length, order = data.chunk_sizes
    head = view.at(at, 4 + length)
    size = int.from_bytes(head[4:], order)
    name = head[:4]
    return name in METADATA or (not name.strip(TEXT) and size <= view.size - at - 4 - length + 1)
