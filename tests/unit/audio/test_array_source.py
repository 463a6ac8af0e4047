"""ArraySource: samples in blocks, and clear errors for wrong arrays."""

import numpy as np
import pytest

from aqscore.audio.array_source import ArraySource, AudioArray
from aqscore.audio.source import MAX_BLOCK_SAMPLES
from aqscore.errors import BadRequest, EmptyFile


def test_blocks_have_a_bounded_size_and_hold_all_samples(rng):
    samples = rng.standard_normal((MAX_BLOCK_SAMPLES, 3)).astype(np.float32)
    source, blocks = ArraySource(AudioArray(samples, 48_000)), []
    while len(block := source.read()[0]):
        blocks.append(block)
    assert max(block.size for block in blocks) <= MAX_BLOCK_SAMPLES
    np.testing.assert_array_equal(np.concatenate(blocks), samples)
    assert (source.sample_rate_hz, source.channels, source.tracks) == (48_000, 3, 1)


@pytest.mark.parametrize(
    ("samples", "rate", "error", "text"),
    [
        (np.zeros(100, np.int16), 16_000, BadRequest, "The samples are int16, expected floats"),
        (np.zeros(100, np.complex64), 16_000, BadRequest, "The samples are complex64"),
        (np.zeros((10, 2, 2)), 16_000, BadRequest, r"shape \(10, 2, 2\), expected \(n,\) or"),
        (np.float32(0.5), 16_000, BadRequest, r"shape \(\), expected"),
        (np.zeros((2, 100)), 16_000, BadRequest, "more channels than samples"),
        (np.zeros(0), 16_000, EmptyFile, "holds no samples"),
        (np.zeros((10, 0)), 16_000, EmptyFile, "holds no samples"),
        (np.zeros(100), 16_000.5, BadRequest, "expected a whole number"),
    ],
)
def test_wrong_arrays_are_refused(samples, rate, error, text):
    with pytest.raises(error, match=text) as caught:
        ArraySource(AudioArray(samples, rate))
    assert caught.value.advice
