"""Gains in time that leave stretches or short events of a training noise."""

import numpy as np
import pytest

from training.degradations.synthetic_noise import gate, scatter

RATE = 16_000


def test_scattered_noise_is_events_with_silence_between(rng):
    shares, counts = [], []
    for _ in range(50):
        loud = scatter(rng, 8 * RATE) > 0.25
        shares.append(loud.mean())
        counts.append(np.count_nonzero(np.diff(loud.astype(int)) == 1))
    assert np.median(shares) < 0.25
    assert min(counts) >= 1
    assert max(counts) > 20


@pytest.mark.parametrize("length", [1, 63, 64, 65, 1_000, 16_001])
def test_gains_are_as_long_as_the_noise_and_never_all_silent(rng, length):
    for gains in (gate(rng, length), scatter(rng, length)):
        assert gains.shape == (length,)
        assert gains.dtype == np.float32
        assert gains.max() > 0.01


def test_a_clock_ticks_evenly_and_fingers_do_not():
    spreads = []
    for seed in range(40):
        gains = scatter(np.random.default_rng(seed), 20 * RATE)
        at = np.flatnonzero((gains[1:] > 0.5) & (gains[:-1] <= 0.5))
        if len(at) > 10:
            gaps = np.diff(at)
            spreads.append(gaps.std() / gaps.mean())
    assert min(spreads) < 0.1
    assert max(spreads) > 0.5
