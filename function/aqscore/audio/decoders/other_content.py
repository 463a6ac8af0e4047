"""Content that is no audio, or audio of a kind that is not read: named, so that the error says what to do."""

import codecs
from dataclasses import dataclass

DECOMPRESS = "Decompress it, and score the recording in it."
EXTRACT = "Extract the sound as WAV, FLAC, MP3, M4A or Ogg."
NOT_AUDIO = "Check how the file was made or downloaded: it is no recording."


@dataclass(frozen=True)
class Content:
    """The name of a kind of content in an error, and the advice."""

    text: str
    advice: str | None = None  # None: that of the error's type


# The first bytes of files; each from the format's specification.
SIGNATURES: tuple[tuple[int, bytes, Content], ...] = (
    (0, b"\x1f\x8b", Content("compressed with gzip", DECOMPRESS)),
    (0, b"BZh", Content("compressed with bzip2", DECOMPRESS)),
    (0, b"\xfd7zXZ\0", Content("compressed with xz", DECOMPRESS)),
    (0, b"\x28\xb5\x2f\xfd", Content("compressed with Zstandard", DECOMPRESS)),
    (0, b"PK\x03\x04", Content("a ZIP archive", DECOMPRESS)),
    (0, b"7z\xbc\xaf\x27\x1c", Content("a 7z archive", DECOMPRESS)),
    (0, b"Rar!\x1a\x07", Content("a RAR archive", DECOMPRESS)),
    (257, b"ustar", Content("a tar archive", DECOMPRESS)),
    (8, b"AVI ", Content("an AVI video, which is not read", EXTRACT)),
    (0, b"FLV\x01", Content("a Flash video, which is not read", EXTRACT)),
    (0, b"\x00\x00\x01\xba", Content("an MPEG video, which is not read", EXTRACT)),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Content("Windows Media (WMA or WMV), which is not read")),
    (0, b".RMF", Content("RealMedia, which is not read")),
    (0, b"wvpk", Content("WavPack, which is not read")),
    (0, b"MAC ", Content("Monkey's Audio, which is not read")),
    (0, b"MThd", Content("a MIDI file: notes, and no sound", NOT_AUDIO)),
    (0, b"%PDF", Content("a PDF document", NOT_AUDIO)),
    (0, b"\x89PNG", Content("a PNG image", NOT_AUDIO)),
    (0, b"\xff\xd8\xff", Content("a JPEG image", NOT_AUDIO)),
    (0, b"GIF8", Content("a GIF image", NOT_AUDIO)),
    (0, b"\x7fELF", Content("a program", NOT_AUDIO)),
    (0, b"SQLite format 3", Content("an SQLite database", NOT_AUDIO)),
)  # fmt: skip
TEXTS = (
    (b"<!doctype html", Content("an HTML page", NOT_AUDIO)),
    (b"<html", Content("an HTML page", NOT_AUDIO)),
    (b"<?xml", Content("an XML document", NOT_AUDIO)),
    (b"#extm3u", Content("a playlist", "Score the recordings that it names.")),
)
PLAIN_TEXT = Content("text", NOT_AUDIO)
TRANSPORT_STREAM = Content("an MPEG transport stream, which is not read", EXTRACT)
TRANSPORT_PACKET_BYTES = 188
CONTENT_BYTES = 1024  # from which the content is recognised


def other_content(head: bytes) -> Content | None:
    """The kind of content of a file with these first ``CONTENT_BYTES``; None if it isn't a listed one."""
    for at, signature, content in SIGNATURES:
        if head[at : at + len(signature)] == signature:
            return content
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head[:1] == b"G" and set(head[::TRANSPORT_PACKET_BYTES]) == {ord("G")} and len(head) == CONTENT_BYTES:
        return TRANSPORT_STREAM
    return next((content for start, content in TEXTS if text.startswith(start)), None)


def is_text(head: bytes) -> bool:
    """Whether a file begins as UTF-8 text does, without control characters."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return bool(text) and all(character.isprintable() or character in "\t\r\n\f\ufeff" for character in text)
