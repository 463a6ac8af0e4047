"""Downmix: the mean of all channels, or one of them."""

import numpy as np
import pytest

from aqscore.audio.downmix import downmix


@pytest.mark.parametrize("channel", [None, 1])
def test_a_downmix_is_a_copy(channel):
    samples = np.array([[0.0, 1.0], [0.5, 0.5]], np.float32)
    mono = downmix(samples, channel)
    np.testing.assert_array_equal(mono, [0.5, 0.5] if channel is None else [1.0, 0.5])
    mono[:] = 9
    assert samples.max() == 1
