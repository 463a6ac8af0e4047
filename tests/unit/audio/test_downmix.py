"""Downmix: the mean of chosen channels."""

import numpy as np

from aqscore.audio.downmix import downmix


def test_a_mix_is_the_mean_of_its_channels_and_a_copy():
    samples = np.array([[0.0, 1.0, 7.0], [0.5, 0.5, 9.0]], np.float32)
    mixed = downmix(samples, [(0, 1), (1,)])
    np.testing.assert_array_equal(mixed, [[0.5, 0.5], [1.0, 0.5]])
    mixed[:] = 99
    assert samples.max() == 9
