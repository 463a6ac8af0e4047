"""The answers of a decoder worker, parsed strictly: whoever controls the decoder controls them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from aqscore.audio.findings import Findings
from aqscore.audio.source import MAX_BLOCK_SAMPLES
from aqscore.errors import (
    BadRequest,
    CorruptAudio,
    DecoderCrashed,
    LimitExceeded,
    PermanentError,
    UnsupportedFormat,
)

MAX_ANSWER_BYTES = 4096
MAX_NAME_CHARS, MAX_TEXT_CHARS = 64, 1000
MAX_RATE_HZ, MAX_CHANNELS, MAX_TRACKS = 1 << 32, 1 << 16, 1 << 16
FFMPEG = "ffmpeg"
ERRORS: dict[str, type[PermanentError]] = {
    error.type: error
    for error in (BadRequest, CorruptAudio, DecoderCrashed, LimitExceeded, UnsupportedFormat)
}


class Malformed(Exception):
    """The answer is none that a worker of this version gives."""


class FfmpegNeeded(Exception):
    """The worker needs FFmpeg, which was not loaded before it was confined."""


@dataclass(frozen=True)
class Opened:
    """The answer to "open".

    ``unfiltered`` is the reason why Linux doesn't filter the worker's system calls, None if it does.
    """

    container: str
    codec: str
    sample_rate_hz: int
    channels: int
    tracks: int
    track: int
    unfiltered: str | None


@dataclass(frozen=True)
class Block:
    """The answer to "read"."""

    frames: int
    broken: str | None
    findings: Findings
    progress: float


def parse_opened(answer: bytes) -> Opened:
    """Raises Malformed, FfmpegNeeded, or the PermanentError that the worker answered with."""
    values = _fields(answer, {field.name for field in fields(Opened)})
    tracks = _whole(values["tracks"], 1, MAX_TRACKS)
    return Opened(
        container=_text(values["container"], MAX_NAME_CHARS),
        codec=_text(values["codec"], MAX_NAME_CHARS),
        sample_rate_hz=_whole(values["sample_rate_hz"], 1, MAX_RATE_HZ),
        channels=_whole(values["channels"], 1, MAX_CHANNELS),
        tracks=tracks,
        track=_whole(values["track"], 0, tracks - 1),
        unfiltered=_optional_text(values["unfiltered"]),
    )


def parse_block(answer: bytes, asked_frames: int) -> Block:
    """Raises as parse_opened does."""
    values = _fields(answer, {field.name for field in fields(Block)})
    found = values["findings"]
    if not isinstance(found, dict) or found.keys() != {field.name for field in fields(Findings)}:
        raise Malformed
    if type(found["incomplete"]) is not bool or type(found["unfinished"]) is not bool:
        raise Malformed
    if found["stated_s"] is not None:
        _seconds(found["stated_s"])
    _seconds(found["gaps_s"])
    _seconds(found["longest_gap_s"])
    return Block(
        frames=_whole(values["frames"], 0, min(asked_frames, MAX_BLOCK_SAMPLES)),
        broken=_optional_text(values["broken"]),
        findings=Findings(**found),
        progress=_share(values["progress"]),
    )


def _fields(answer: bytes, names: set[str]) -> Mapping[str, Any]:
    """The fields of an answer that has these names. Raises as parse_opened does."""
    try:
        values = json.loads(answer) if len(answer) <= MAX_ANSWER_BYTES else None
    except (ValueError, RecursionError):
        raise Malformed from None
    if not isinstance(values, dict):
        raise Malformed
    if values == {"needs": FFMPEG}:
        raise FfmpegNeeded
    if values.keys() == {"error", "message", "advice"}:
        error = values["error"]
        if not isinstance(error, str) or error not in ERRORS:
            raise Malformed
        raise ERRORS[error](_text(values["message"], MAX_TEXT_CHARS), advice=_optional_text(values["advice"]))
    if values.keys() != names:
        raise Malformed
    return values


def _text(value: Any, max_chars: int) -> str:
    """A text of one line, without control characters: it goes into terminals, logs and reports."""
    if not isinstance(value, str) or not 0 < len(value) <= max_chars or not value.isprintable():
        raise Malformed
    return value


def _optional_text(value: Any) -> str | None:
    return None if value is None else _text(value, MAX_TEXT_CHARS)


def _whole(value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise Malformed
    return value


def _share(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise Malformed
    return float(value)


def _seconds(value: Any) -> None:
    if type(value) not in (int, float) or not 0 <= value < math.inf:
        raise Malformed
