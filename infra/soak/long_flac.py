"""A small FLAC file that takes minutes to decode: hours of silence at the highest sample rate.

https://www.rfc-editor.org/rfc/rfc9639
"""

from functools import cache

RATE = 384_000
BLOCK = 65_535  # samples a frame: the most
BITS = 16


def _table(polynomial: int, bits: int) -> list[int]:
    """The remainders of each byte in a CRC of 8 or 16 bits."""
    mask, top, table = (1 << bits) - 1, 1 << (bits - 1), []
    for byte in range(256):
        value = byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & mask
        table.append(value)
    return table


CRC_8, CRC_16 = _table(0x07, 8), _table(0x8005, 16)


def _crc_8(data: bytes) -> int:
    value = 0
    for byte in data:
        value = CRC_8[value ^ byte]
    return value


def _crc_16(data: bytes) -> int:
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFF) ^ CRC_16[value >> 8 ^ byte]
    return value


def _frame(number: int) -> bytes:
    """A frame of zeros: one constant subframe (RFC 9639, 9.1 and 9.2)."""
    # Fixed block size; 16 bits of it follow; sample rate of STREAMINFO; mono; 16 bits a sample.
    header = b"\xff\xf8\x70\x08" + chr(number).encode(errors="surrogatepass") + (BLOCK - 1).to_bytes(2)
    frame = header + bytes([_crc_8(header)]) + b"\x00" + bytes(BITS // 8)
    return frame + _crc_16(frame).to_bytes(2)


@cache
def long_flac(hours: float) -> bytes:
    """Silence of that many hours, in 300 kB an hour."""
    frames = int(hours * 3600 * RATE / BLOCK)
    sizes = 2 * BLOCK.to_bytes(2) + bytes(6)
    # 20 bits of sample rate, 3 of channels - 1, 5 of bits a sample - 1, 36 of samples (RFC 9639, 8.2).
    numbers = RATE << 44 | 0 << 41 | (BITS - 1) << 36 | frames * BLOCK
    information = sizes + numbers.to_bytes(8) + bytes(16)
    start = b"fLaC\x80" + len(information).to_bytes(3) + information
    return start + b"".join(map(_frame, range(frames)))
