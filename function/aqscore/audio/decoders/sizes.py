"""Where the samples lie in WAV, RIFX, RF64, W64, AIFF, AU and CAF files, and the size that headers state.

Headers lie: stream writers leave placeholders in them, recorders that are cut off zeros or an old length.
"""

from dataclasses import dataclass
from typing import Literal

from aqscore.audio.decoders.view import FileView

Order = Literal["little", "big"]
W64_IDENTIFIER_END = bytes.fromhex("f3acd3118cd100c04f8edb8a")  # of the chunks' identifiers but the first
WAV_HEADER_CHUNKS = 200  # chunks before the samples
ONE_BYTE = (b"ulaw", b"ULAW", b"alaw", b"ALAW")  # compression types of AIFF-C that state 16 bits


@dataclass(frozen=True)
class SizeField:
    """A size in a header: ``length`` bytes at ``offset``. It counts the bytes behind ``base``, in units."""

    offset: int
    length: int
    order: Order
    base: int
    unit: int = 1

    def of_end(self, end: int) -> bytes:
        """The field's bytes for samples that end there; the largest value if they don't fit."""
        value = min((end - self.base) // self.unit, (1 << 8 * self.length) - 1)
        return value.to_bytes(self.length, self.order)


@dataclass(frozen=True)
class SoundData:
    """The samples of a file: offset, bytes by the header, and the fields of the header that state sizes."""

    start: int
    stated: int
    fields: tuple[SizeField, ...]
    bytes_per_s: float
    chunk_sizes: tuple[int, Order] | None  # length and order of the sizes of chunks that may follow
    codec_tag: int = 0  # of WAV: WAVE_FORMAT


def sound_data(view: FileView) -> SoundData | None:
    """The samples of a file in one of these containers; None where the header can't be understood."""
    head = view.at(0, 16)
    match head[:4]:
        case b"RIFF" | b"RIFX" | b"RF64" | b"BW64":
            return _riff(view, "big" if head[:4] == b"RIFX" else "little")
        case b"riff":
            return _w64(view)
        case b"FORM":
            return _aiff(view)
        case b".snd" | b"dns.":
            return _au(view)
        case b"caff":
            return _caf(view)
    return None


def _riff(view: FileView, order: Order) -> SoundData | None:
    at, rate, tag, sizes = 12, 0.0, 0, None
    for _ in range(WAV_HEADER_CHUNKS):
        head = view.at(at, 48)
        size = int.from_bytes(head[4:8], order)
        match head[:4]:
            case b"fmt ":
                tag = int.from_bytes(head[8:10], order)
                if tag == 0xFFFE:  # WAVE_FORMAT_EXTENSIBLE: the codec is in the identifier
                    tag = int.from_bytes(head[32:34], order)
                rate = float(int.from_bytes(head[16:20], order))
            case b"ds64":  # EBU Tech 3306: sizes of the file and of the samples, in 64 bits
                sizes = at
            case b"data":
                start = at + 8
                fields = [SizeField(4, 4, order, 8), SizeField(at + 4, 4, order, start)]
                if sizes is not None and size == 0xFFFF_FFFF:
                    size = int.from_bytes(view.at(sizes + 16, 8), order)
                    fields = [SizeField(sizes + 8, 8, order, 8), SizeField(sizes + 16, 8, order, start)]
                return SoundData(start, size, tuple(fields), rate, (4, order), tag)
            case b"":
                return None
        at += 8 + size + size % 2
    return None


def _w64(view: FileView) -> SoundData | None:
    at, rate = 40, 0.0
    for _ in range(WAV_HEADER_CHUNKS):
        head = view.at(at, 48)
        size = int.from_bytes(head[16:24], "little")
        if head[:4] == b"fmt ":
            rate = float(int.from_bytes(head[32:36], "little"))
        elif head[:4] == b"data":
            fields = SizeField(16, 8, "little", 0), SizeField(at + 16, 8, "little", at)
            return SoundData(at + 24, max(0, size - 24), fields, rate, None)
        if size < 24:
            return None
        at += (size + 7) // 8 * 8
    return None


def _aiff(view: FileView) -> SoundData | None:
    at, rate, frame_bytes, counter = 12, 0.0, 0, 0
    for _ in range(WAV_HEADER_CHUNKS):
        head = view.at(at, 32)
        size = int.from_bytes(head[4:8], "big")
        if head[:4] == b"COMM" and len(head) >= 26:
            bits = 8 if head[26:30] in ONE_BYTE else int.from_bytes(head[14:16], "big")
            frame_bytes = int.from_bytes(head[8:10], "big") * ((bits + 7) // 8)
            exponent = (int.from_bytes(head[16:18], "big") & 0x7FFF) - 16383  # an 80-bit float
            rate = int.from_bytes(head[18:26], "big") * 2.0 ** max(-200, min(exponent - 63, 200))
            counter = at + 10
        elif head[:4] == b"SSND":
            start = at + 16 + int.from_bytes(head[8:12], "big")
            fields = [SizeField(4, 4, "big", 8), SizeField(at + 4, 4, "big", at + 8)]
            if counter and frame_bytes:
                fields.append(SizeField(counter, 4, "big", start, frame_bytes))
            return SoundData(
                start, max(0, size - (start - at - 8)), tuple(fields), rate * frame_bytes, (4, "big")
            )
        elif not head:
            return None
        at += 8 + size + size % 2
    return None


AU_SAMPLE_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}  # by encoding


def _au(view: FileView) -> SoundData | None:
    head = view.at(0, 24)
    if len(head) < 24:
        return None
    order: Order = "big" if head[:4] == b".snd" else "little"
    start, stated, encoding, rate_hz, channels = (
        int.from_bytes(head[at : at + 4], order) for at in range(4, 24, 4)
    )
    rate = float(AU_SAMPLE_BYTES.get(encoding, 0) * rate_hz * channels)
    return SoundData(start, stated, (SizeField(8, 4, order, start),), rate, None)


def _caf(view: FileView) -> SoundData | None:
    at, rate = 8, 0.0
    for _ in range(WAV_HEADER_CHUNKS):
        head = view.at(at, 48)
        size = int.from_bytes(head[4:12], "big")
        if head[:4] == b"desc" and len(head) >= 44:
            rate = _double(head[12:20]) * int.from_bytes(head[28:32], "big")
            packet_frames = int.from_bytes(head[32:36], "big")
            rate = rate / packet_frames if packet_frames else 0.0
        elif head[:4] == b"data":
            start = at + 16  # behind the number of edits
            return SoundData(
                start, max(0, size - 4), (SizeField(at + 4, 8, "big", at + 12),), rate, (8, "big")
            )
        elif not head:
            return None
        at += 12 + size
    return None


def _double(data: bytes) -> float:
    import struct

    value = struct.unpack(">d", data)[0]
    return float(value) if 0 < value < 1e7 else 0.0
