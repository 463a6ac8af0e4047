"""Truncation: headers that state more than the file holds."""

import io

import numpy as np
import pytest
import soundfile

from aqscore.audio.truncation import (
    HEADER_BYTES,
    PLACEHOLDER_SIZES,
    UNKNOWN_LENGTH,
    claims_more_frames,
    states_more_bytes,
)


@pytest.mark.parametrize("container", ["WAV", "AIFF", "RF64", "W64", "AU"])
def test_the_size_in_a_header_is_compared_with_the_file(container):
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(1_000), 16_000, format=container, subtype="PCM_16")
    header, size = buffer.getvalue()[:HEADER_BYTES], len(buffer.getvalue())
    assert not states_more_bytes(header, size)
    assert states_more_bytes(header, size - 2)


@pytest.mark.parametrize("size", PLACEHOLDER_SIZES)
def test_a_placeholder_states_nothing(size):
    assert not states_more_bytes(b"RIFF" + size.to_bytes(4, "little") + b"WAVE", 1_000)


def test_other_containers_state_nothing():
    assert not states_more_bytes(b"fLaC" + b"\xff" * 24, 1_000)


@pytest.mark.parametrize(
    ("claimed", "frames", "more"),
    [(None, 5, False), (0, 5, False), (5, 5, False), (6, 5, True), (UNKNOWN_LENGTH, 5, False)],
)
def test_claims_of_frames(claimed, frames, more):
    assert claims_more_frames(claimed, frames) is more
