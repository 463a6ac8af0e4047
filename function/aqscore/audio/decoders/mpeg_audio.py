"""The frames of MPEG audio (MP3) and of AAC in ADTS: where they begin, end, and change their format.

Decoders estimate the length of such a file, and stop there. Therefore its frames are counted here.
Header of MPEG audio: ISO/IEC 11172-3, 2.4.2.3, and 13818-3, 2.4.2.3. ADTS: ISO/IEC 13818-7, 6.2. Xing and
Info headers: the source code of LAME, VbrTag.c.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from aqscore.audio.decoders.links import Link
from aqscore.audio.decoders.view import FileView
from aqscore.audio.findings import Findings

BITRATES = {  # kbit/s by (MPEG version is 1, layer)
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
RATES_HZ = (44_100, 48_000, 32_000)
ADTS_RATES = 13
SEARCH_BYTES = 1 << 17  # in which the first frame is searched for
FRAMES_TO_TRUST = 4  # in a row, where bytes of another kind come first
RESYNC_BYTES = 1024  # over which libmpg123 finds the next frame itself
ROUNDING_FRAMES = 2  # by which encoders count differently
SKIPPED_FRAMES = 5
JUNK_BYTES = 4096  # behind the last frame: tags of unknown kinds
CLAIM_OFFSETS = (36, 21, 13)  # of a Xing or Info header: behind 32, 17 or 9 bytes of side information


@dataclass(frozen=True)
class Frame:
    """A frame's length in bytes, and the properties that stay the same within a stream."""

    length: int
    kind: tuple[int, ...]
    samples: int = 0  # a channel


@lru_cache(maxsize=4096)
def mpeg_frame(header: int) -> Frame | None:
    """The frame with these first four bytes; None where it is none, or of a free bitrate."""
    version, layer_bits = header >> 19 & 3, header >> 17 & 3
    bitrate_index, rate_index = header >> 12 & 15, header >> 10 & 3
    if header >> 21 != 0x7FF or version == 1 or not layer_bits or rate_index == 3:
        return None
    if bitrate_index in (0, 15) or header & 3 == 2:  # emphasis 2 is reserved
        return None
    layer, padding = 4 - layer_bits, header >> 9 & 1
    rate_hz = RATES_HZ[rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    bits = BITRATES[version == 3, layer][bitrate_index] * 1000
    if layer == 1:
        length = (12 * bits // rate_hz + padding) * 4
    else:
        length = (72 if layer == 3 and version != 3 else 144) * bits // rate_hz + padding
    channels = 1 if header >> 6 & 3 == 3 else 2
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
    return Frame(length, (version, layer, rate_hz, channels), samples)


def adts_frame(header: int) -> Frame | None:
    """The frame of AAC with these first four bytes, in which its length is known to 8 bytes."""
    if header >> 16 & 0xFFF6 != 0xFFF0 or header >> 10 & 15 >= ADTS_RATES:
        return None
    return Frame(0, (header >> 14 & 3, header >> 10 & 15, header >> 6 & 7))


def frame_at(view: FileView, offset: int, parse: Callable[[int], Frame | None]) -> Frame | None:
    """The frame of MPEG audio or ADTS at an offset."""
    data = view.at(offset, 6)
    frame = parse(int.from_bytes(data[:4], "big")) if len(data) >= 4 else None
    if frame is None or frame.length:
        return frame
    length = int.from_bytes(data[3:6], "big") >> 5 & 0x1FFF
    return Frame(length, frame.kind) if len(data) == 6 and length > 7 else None


def first_frame(view: FileView, start: int, parse: Callable[[int], Frame | None]) -> int | None:
    """The offset of the first frame from ``start`` on, behind zeros and the rest of a frame; None if none."""
    start = skip_zeros(view, start)
    for offset in view.find(b"\xff", start):
        if offset > start + SEARCH_BYTES:
            break
        needed = 2 if offset == start else FRAMES_TO_TRUST
        if _frames_in_a_row(view, offset, parse, needed):
            return offset
    return None


def skip_zeros(view: FileView, offset: int) -> int:
    """The offset of the first byte other than zero."""
    while block := view.at(offset, 4096):
        if rest := block.lstrip(b"\0"):
            return offset + len(block) - len(rest)
        offset += len(block)
    return offset


def skip_tags(view: FileView, offset: int) -> int:
    """The offset behind the tags of all kinds that lie there one after the other."""
    while True:
        head = view.at(offset, 32)
        if head.startswith(b"ID3") and len(head) >= 10:  # ID3v2.4 structure, 3.1: four times 7 bits
            size = sum((byte & 127) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
            offset += 10 + size + (10 if head[5] & 16 else 0)
        elif head.startswith(b"APETAGEX"):
            offset += 32 * (head[23] >> 5 & 1) + int.from_bytes(head[12:16], "little")
        elif head.startswith(b"TAG"):
            offset += 128
        elif head.startswith(b"LYRICSBEGIN"):
            offset = next((at + 9 for at in view.find(b"LYRICS200", offset)), view.size)
        else:
            return offset


@dataclass(frozen=True)
class Run:
    """Frames of one kind in a row."""

    start: int
    end: int
    frames: int
    claimed: int | None  # frames by a Xing or Info header
    samples: int  # a channel, of each frame
    intact: bool  # nothing of another kind lies in it or behind it, and its last frame is complete


def mp3_links(view: FileView) -> list[Link]:
    """The links of an MP3 file: a new one begins with each Xing or Info header and each change of format."""
    runs = list(_runs(view))
    if not runs:
        return []
    links = []
    for run in runs:
        findings = Findings(incomplete=not run.intact or run.frames + ROUNDING_FRAMES < (run.claimed or 0))
        part = view.part(run.start, run.end, endless=run.claimed is None)
        # Decoders skip the encoder's padding, and a frame or two until they have the bits of the last ones.
        least = (run.frames - SKIPPED_FRAMES) * run.samples
        links.append(Link(part, findings, least_frames=least))
    if len(runs) == 1 and runs[0].claimed and skip_tags(view, 0) == runs[0].start:
        links[0].view, links[0].sound_end = view, runs[0].end
    return links


def _runs(view: FileView) -> Iterator[Run]:
    start = first_frame(view, skip_tags(view, 0), mpeg_frame)
    while start is not None:
        end, frames, claimed, claim_end, intact = _run(view, start)
        frame = frame_at(view, start, mpeg_frame)
        samples = frame.samples if frame else 0
        behind = skip_tags(view, end)
        following = first_frame(view, behind, mpeg_frame)
        gap = (view.size if following is None else following) - skip_zeros(view, behind)
        intact = intact and gap <= JUNK_BYTES
        if claimed is not None and claim_end is not None and frames > claimed + ROUNDING_FRAMES:
            yield Run(start, claim_end, claimed, claimed, samples, intact=True)
            yield Run(claim_end, end, frames - claimed, None, samples, intact)
        else:
            yield Run(start, end, frames, claimed, samples, intact)
        start = following


def _run(view: FileView, start: int) -> tuple[int, int, int | None, int | None, bool]:
    """The end, the frames, the claimed frames, their end, and whether all is intact, of a run."""
    claimed = _claimed_frames(view, start)
    kind, frames, claim_end, intact, at = None, 0, None, True, start
    while True:
        data = view.at(at, 48)
        frame = mpeg_frame(int.from_bytes(data[:4], "big"))
        if frame is None:
            following = first_frame(view, at, mpeg_frame)
            if following is None or following - at > RESYNC_BYTES or skip_tags(view, at) != at:
                return at, frames, claimed, claim_end, intact
            intact = intact and skip_zeros(view, at) == following
            at = following
            continue
        is_claim = b"Xing" in data or b"Info" in data
        if (kind and frame.kind != kind) or (is_claim and at != start):
            return at, frames, claimed, claim_end, intact
        if at + frame.length > view.size:
            return view.size, frames, claimed, claim_end, False
        kind = frame.kind
        at += frame.length
        frames += not is_claim
        if frames == claimed:
            claim_end = claim_end or at


def _frames_in_a_row(view: FileView, at: int, parse: Callable[[int], Frame | None], needed: int) -> bool:
    """Whether so many frames of one kind lie there, or fewer that reach the end of the file."""
    kind = None
    for _ in range(needed):
        frame = frame_at(view, at, parse)
        if frame is None or (kind is not None and frame.kind != kind):
            return kind is not None and at >= view.size
        kind, at = frame.kind, at + frame.length
    return True


def _claimed_frames(view: FileView, at: int) -> int | None:
    """The number of frames by the Xing or Info header at an offset; None where there is none."""
    data = view.at(at, 48)
    for offset in CLAIM_OFFSETS:
        if data[offset : offset + 4] in (b"Xing", b"Info") and data[offset + 7] & 1:
            return int.from_bytes(data[offset + 8 : offset + 12], "big") or None
    return None
