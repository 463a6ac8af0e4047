"""The formats that are read, recognised by the content of the file, with the decoders for each.

libsndfile and FFmpeg read hundreds of formats, and each adds attack surface. Therefore a file reaches them
only if it is of a format listed here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from aqscore.audio.decoders.amr import NARROW, WIDE, amr_links
from aqscore.audio.decoders.base import DecoderError
from aqscore.audio.decoders.boxes import EBML, matroska_links, mp4_links
from aqscore.audio.decoders.flac import MAGIC as FLAC_MAGIC
from aqscore.audio.decoders.flac import flac_links
from aqscore.audio.decoders.links import Link
from aqscore.audio.decoders.mpeg_audio import adts_frame, first_frame, mp3_links, mpeg_frame, skip_tags
from aqscore.audio.decoders.ogg import CAPTURE, ogg_links
from aqscore.audio.decoders.other_content import (
    CONTENT_BYTES,
    PLAIN_TEXT,
    Content,
    is_text,
    other_content,
)
from aqscore.audio.decoders.sized_links import mp3_in_wav_links, sized_links
from aqscore.audio.decoders.sizes import sound_data
from aqscore.audio.decoders.view import FileView


def one_link(view: FileView) -> list[Link]:
    """The file as it is."""
    return [Link(view)]


@dataclass(frozen=True)
class Format:
    """A format: its name in reports, and its decoders.

    ``libsndfile`` has its names of the format, ``demuxer`` is FFmpeg's. ``links`` finds the pieces of a file
    that decode on their own.
    """

    name: str
    links: Callable[[FileView], list[Link]] = one_link
    libsndfile: tuple[str, ...] = ()
    demuxer: str | None = None
    has_timestamps: bool = False


WAV = Format("WAV", sized_links, ("WAV", "WAVEX"), "wav")
MP3_IN_WAV = Format("WAV", mp3_in_wav_links, ("MP3",), "mp3")
RF64 = Format("RF64", sized_links, ("RF64",), "wav")
W64 = Format("W64", sized_links, ("W64",), "w64")
AIFF = Format("AIFF", sized_links, ("AIFF",), "aiff")
AU = Format("AU", sized_links, ("AU",), "au")
CAF = Format("CAF", sized_links, ("CAF",), "caf")
NIST = Format("NIST", one_link, ("NIST",))
FLAC = Format("FLAC", flac_links, ("FLAC",), "flac")
OGG = Format("OGG", ogg_links, ("OGG",), "ogg")
MP3 = Format("MP3", mp3_links, ("MP3",), "mp3")
MP4 = Format("MP4", mp4_links, (), "mov", has_timestamps=True)
WEBM = Format("WEBM", matroska_links, (), "matroska", has_timestamps=True)
MATROSKA = Format("MATROSKA", matroska_links, (), "matroska", has_timestamps=True)
ADTS = Format("ADTS", one_link, (), "aac")
AMR = Format("AMR", amr_links, (), "amr")
GSM = Format("GSM", one_link, (), "gsm")
FORMATS = (
    WAV, RF64, W64, AIFF, AU, CAF, NIST, FLAC, OGG, MP3, MP4, WEBM, MATROSKA, ADTS, AMR, GSM,
)  # fmt: skip
# Types of the first box: ISO/IEC 14496-12, and Apple's QuickTime File Format for those before ``ftyp``.
BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"sidx", b"moof")
HEAD_BYTES = 64
MPEG_TAGS = (0x50, 0x55)  # WAVE_FORMAT_MPEG and WAVE_FORMAT_MPEGLAYER3
GSM_FRAME_BYTES, GSM_FRAMES = 33, 16  # a frame of GSM 06.10 begins with the bits 1101


def recognise(view: FileView) -> tuple[Format, FileView]:
    """The format of a file, and the part of the file behind tags and other bytes in front.

    Raises DecoderError for any other content.
    """
    if found := _by_signature(view.at(0, HEAD_BYTES)):
        data = sound_data(view) if found is WAV else None
        return MP3_IN_WAV if data and data.codec_tag in MPEG_TAGS else found, view
    behind_tags = skip_tags(view, 0)
    if behind_tags and (found := _by_signature(view.at(behind_tags, HEAD_BYTES))):
        return found, view.part(behind_tags)
    head = view.at(0, CONTENT_BYTES)
    if (name := other_content(head)) is not None:
        raise _no_audio(name)
    if _is_gsm(view):
        return GSM, view
    mp3 = first_frame(view, behind_tags, mpeg_frame)
    adts = first_frame(view, behind_tags, adts_frame)
    if mp3 is not None and (adts is None or mp3 <= adts):
        return MP3, view
    if adts is not None:
        return ADTS, view.part(adts)
    if is_text(head):
        raise _no_audio(PLAIN_TEXT)
    raise DecoderError("unsupported_format", "The file can't be read as audio (format not recognised).")


def _no_audio(content: Content) -> DecoderError:
    text = f"The file can't be read as audio: it is {content.text}."
    return DecoderError("unsupported_format", text, content.advice)


def _by_signature(head: bytes) -> Format | None:
    kind = head[8:12]
    match head[:4]:
        case b"RIFF" | b"RIFX" if kind == b"WAVE":
            return WAV
        case b"RF64" | b"BW64" if kind == b"WAVE":
            return RF64
        case b"FORM" if kind in (b"AIFF", b"AIFC"):
            return AIFF
    signatures = {
        b"riff\x2e\x91\xcf\x11": W64,
        b".snd": AU,
        b"dns.": AU,
        b"caff": CAF,
        b"NIST_1A": NIST,
        FLAC_MAGIC: FLAC,
        CAPTURE: OGG,
        EBML: WEBM if b"webm" in head else MATROSKA,
        NARROW: AMR,
        WIDE: AMR,
    }
    found = next((each for start, each in signatures.items() if head.startswith(start)), None)
    return found or (MP4 if head[4:8] in BOXES else None)


def _is_gsm(view: FileView) -> bool:
    """Whether a file has frames of GSM 06.10 and nothing else, as Asterisk records."""
    head = view.at(0, GSM_FRAME_BYTES * GSM_FRAMES)
    starts = head[::GSM_FRAME_BYTES]
    return len(starts) == GSM_FRAMES and all(byte >> 4 == 13 for byte in starts)
