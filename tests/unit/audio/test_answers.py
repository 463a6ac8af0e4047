"""The schema of a worker's answers: whatever else a worker sends is recognised."""

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqscore.audio.answers import (
    MAX_ANSWER_BYTES,
    FfmpegNeeded,
    Malformed,
    parse_block,
    parse_opened,
)
from aqscore.errors import CorruptAudio, PermanentError

OPENED = {
    "container": "WAV", "codec": "PCM_16", "sample_rate_hz": 16_000, "channels": 2, "tracks": 1, "track": 0,
    "unfiltered": None,
}  # fmt: skip
FINDINGS = {
    "incomplete": False, "unfinished": False, "stated_s": None, "gaps_s": 0.0, "longest_gap_s": 0.5
}  # fmt: skip
BLOCK = {"frames": 7, "broken": None, "findings": FINDINGS, "progress": 0.5}
ERROR = {"error": "corrupt_audio", "message": "Broken.", "advice": None}


def encoded(answer: object) -> bytes:
    return json.dumps(answer).encode()


def test_an_intact_worker_is_understood():
    opened = parse_opened(encoded(OPENED))
    assert (opened.codec, opened.channels, opened.unfiltered) == ("PCM_16", 2, None)
    block = parse_block(encoded(BLOCK | {"broken": "It ends early."}), 10)
    assert (block.frames, block.broken, block.findings.longest_gap_s) == (7, "It ends early.", 0.5)
    with pytest.raises(CorruptAudio, match="Broken"):
        parse_opened(encoded(ERROR))
    with pytest.raises(FfmpegNeeded):
        parse_block(encoded({"needs": "ffmpeg"}), 10)


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"container": ""},
        {"container": "W" * 65},
        {"codec": "\x1b[31m"},
        {"codec": "\ud800"},
        {"codec": None},
        {"sample_rate_hz": 0},
        {"sample_rate_hz": 16_000.0},
        {"channels": True},
        {"channels": 0},
        {"channels": 1 << 20},
        {"tracks": 0},
        {"track": 1},
        {"track": -1},
        {"unfiltered": ["no"]},
    ],
)
def test_another_format_is_malformed(change):
    with pytest.raises(Malformed):
        parse_opened(encoded(OPENED | change))


@pytest.mark.parametrize(
    "change",
    [
        {"frames": -1},
        {"frames": 11},
        {"frames": None},
        {"broken": 5},
        {"broken": "a\nb"},
        {"findings": None},
        {"findings": {}},
        {"findings": FINDINGS | {"incomplete": 1}},
        {"findings": FINDINGS | {"stated_s": -1.0}},
        {"findings": FINDINGS | {"gaps_s": math.nan}},
        {"findings": FINDINGS | {"gaps_s": math.inf}},
        {"findings": FINDINGS | {"longest_gap_s": "1"}},
        {"progress": -0.1},
        {"progress": 1.1},
        {"progress": math.nan},
        {"progress": None},
    ],
)
def test_another_block_is_malformed(change):
    with pytest.raises(Malformed):
        parse_block(encoded(BLOCK | change), 10)


@pytest.mark.parametrize(
    "change",
    [{"error": "superseded"}, {"error": []}, {"message": ""}, {"message": "x" * 1001}, {"advice": "\0"}],
)
def test_another_error_is_malformed(change):
    with pytest.raises(Malformed):
        parse_block(encoded(ERROR | change), 10)


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"null", b"{", b"\xff", b"[" * MAX_ANSWER_BYTES, b" " * MAX_ANSWER_BYTES + b"{}"]
)
def test_anything_else_is_malformed(answer):
    with pytest.raises(Malformed):
        parse_opened(answer)


NAMES = st.sampled_from(sorted(OPENED | BLOCK | ERROR))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=8),
)


@given(st.binary(max_size=300) | VALUES.map(encoded))
def test_no_answer_raises_anything_else(answer):
    for parse in (parse_opened, lambda data: parse_block(data, 10)):
        with suppress(Malformed, FfmpegNeeded, PermanentError):
            parse(answer)
