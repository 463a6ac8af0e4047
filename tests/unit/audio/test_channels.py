"""ChannelStatistics: silent channels, channels that cancel each other, and noisy ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqscore.audio.channels import ChannelStatistics, Mix

RATE = 16_000


def words(rng, seconds=6.0, level=0.1) -> np.ndarray:
    """Bursts of noise of various levels, a quarter of a second each, with pauses."""
    at = np.arange(round(seconds * RATE))
    loudness = rng.uniform(0.3, 1.0, at[-1] // 4_000 + 1) * (np.arange(at[-1] // 4_000 + 1) % 2 == 0)
    return level * loudness[at // 4_000] * rng.standard_normal(len(at))


def of(*channels, cuts=()) -> ChannelStatistics:
    samples = np.stack(channels, axis=1).astype(np.float32)
    statistics = ChannelStatistics(samples.shape[1], RATE)
    for block in np.split(samples, cuts):
        statistics.add(block)
    return statistics


def test_different_channels_are_all_mixed(rng):
    assert of(words(rng), words(rng)).mix == Mix((0, 1))


@pytest.mark.parametrize("floor", [0.0, 1e-5, 3e-4])
def test_a_channel_without_sound_is_silent(rng, floor):
    dead = floor * rng.standard_normal(6 * RATE)
    assert of(words(rng), dead, words(rng)).mix == Mix((0, 2), silent=(1,))


def test_clicks_do_not_make_a_dead_channel_sound(rng):
    dead = np.zeros(6 * RATE)
    dead[10_000::30_000] = 0.9
    assert of(dead, words(rng)).mix == Mix((1,), silent=(0,))


def test_a_party_that_says_one_word_is_not_silent(rng):
    once = np.where(np.arange(60 * RATE) // (RATE // 2) == 70, words(rng, 60.0), 0)
    assert of(words(rng, 60.0), once).mix == Mix((0, 1))


def test_silence_everywhere_is_mixed():
    assert of(np.zeros(RATE), np.zeros(RATE)).mix == Mix((0, 1))


@pytest.mark.parametrize("gain", [0.95, 0.6])
@pytest.mark.parametrize("offset", [0.0, 0.2])
def test_channels_of_opposite_polarity_cancel(rng, gain, offset):
    speech = words(rng)
    assert of(gain * speech + offset, -speech + offset).mix == Mix((1,), cancels=True)


def test_noise_does_not_hide_that_channels_cancel(rng):
    speech, noises = words(rng), 0.01 * rng.standard_normal((2, 6 * RATE))
    assert of(speech + noises[0], -speech + noises[1]).mix.cancels


def test_a_quiet_echo_of_opposite_polarity_does_not_cancel(rng):
    speech = words(rng)
    assert of(speech, -0.2 * speech).mix == Mix((0, 1))


def test_of_many_channels_one_that_speaks_alone_does_not_cancel(rng):
    background = 0.003 * rng.standard_normal((7, 6 * RATE))
    assert of(words(rng), *background).mix == Mix(tuple(range(8)))


def test_much_noise_in_one_channel_is_noticed(rng):
    noise = 0.0001 * rng.standard_normal((2, 6 * RATE))
    found = of(words(rng) + noise[0], words(rng) + 300 * noise[1]).contrast
    assert (found.better, found.worse) == (0, 1)
    assert found.better_db > found.worse_db + 15


def test_channels_alike_have_no_contrast(rng):
    noise = 0.0001 * rng.standard_normal((3, 6 * RATE))
    assert of(words(rng) + noise[0], words(rng) + noise[1]).contrast is None
    assert of(words(rng) + noise[0], words(rng)).contrast is None, "digital silence says nothing of noise"
    assert of(words(rng) + noise[0]).contrast is None


@given(cuts=st.sets(st.integers(1, 3 * RATE - 1), max_size=6), order=st.permutations([0, 1, 2, 3]))
def test_neither_blocks_nor_the_order_of_channels_matter(cuts, order):
    rng = np.random.default_rng(1)
    speech = words(rng, 3.0)
    channels = [speech, -0.9 * speech, np.zeros(len(speech)), words(rng, 3.0, 0.01)]
    expected = of(*channels).mix
    found = of(*(channels[number] for number in order), cuts=sorted(cuts)).mix
    assert [order[place] for place in found.channels] == list(expected.channels) == [0]
    assert (found.cancels, {order[place] for place in found.silent}) == (True, {2})
