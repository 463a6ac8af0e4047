"""Truncated files: those that end before their header says."""

from typing import Literal

HEADER_BYTES = 28
# libsndfile states 2^63 - 1 frames when a stream has no length; no real file has 2^48 frames or bytes.
UNKNOWN_LENGTH = 2**48
# Where headers state the file's size: offset, length in bytes, byte order, and bytes to add. libsndfile
# limits its number of frames in such files to those present, so that number shows no truncation.
SIZE_FIELDS: dict[bytes, tuple[int, int, Literal["little", "big"], int]] = {
    b"RIFF": (4, 4, "little", 8),
    b"FORM": (4, 4, "big", 8),
    b"RF64": (20, 8, "little", 8),
    b"riff": (16, 8, "little", 0),  # W64
    b".snd": (8, 4, "big", 24),
}
# Values in a header whose writer could not go back and fill the size in.
PLACEHOLDER_SIZES = (0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def states_more_bytes(header: bytes, size_bytes: int) -> bool:
    """Whether the first ``HEADER_BYTES`` of a file state a size above ``size_bytes``."""
    if header[:4] not in SIZE_FIELDS:
        return False
    offset, length, order, add = SIZE_FIELDS[header[:4]]
    stated = int.from_bytes(header[offset : offset + length], order)
    if stated in PLACEHOLDER_SIZES or stated >= UNKNOWN_LENGTH:
        return False
    return stated + add > size_bytes + 1  # a padding byte may be missing


def claims_more_frames(claimed_frames: int | None, frames: int) -> bool:
    """Whether a header claims more frames than were decoded."""
    return claimed_frames is not None and frames < claimed_frames < UNKNOWN_LENGTH
