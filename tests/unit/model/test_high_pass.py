"""The high-pass filter: what it removes, what it keeps, and that blocks don't matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqscore.model.high_pass import HALF_LENGTH, STEP, HighPass, high_pass

RATE = 16_000


def noise(count: int, seed: int = 1) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(count)).astype(np.float32)


def gain_db(frequency_hz: float) -> float:
    tone = np.sin(2 * np.pi * frequency_hz * np.arange(4 * RATE) / RATE).astype(np.float32)
    inner = slice(RATE, -RATE)
    return 20 * np.log10(np.std(high_pass(tone)[inner]) / np.std(tone[inner]) + 1e-12)


@pytest.mark.parametrize("frequency_hz", [70, 100, 1000, 7000])
def test_speech_passes(frequency_hz):
    assert abs(gain_db(frequency_hz)) < 0.01


@pytest.mark.parametrize("frequency_hz", [0.5, 4, 10, 18])
def test_rumble_is_removed(frequency_hz):
    assert gain_db(frequency_hz) < -55


@given(st.integers(0, 3 * STEP), st.lists(st.integers(0, 3 * STEP), max_size=5), st.integers(0, 2**16))
def test_blocks_do_not_matter(count, cuts, seed):
    samples = noise(count, seed)
    stream = HighPass()
    parts = [stream.push(part) for part in np.split(samples, sorted(min(cut, count) for cut in cuts))]
    streamed = np.concatenate([*parts, stream.finish()])
    assert len(streamed) == count
    np.testing.assert_array_equal(streamed, high_pass(samples))


@pytest.mark.parametrize("count", [1, 10, HALF_LENGTH, STEP, STEP + HALF_LENGTH, 2 * STEP + 1])
@pytest.mark.parametrize("offset", [0.03, -0.5])
def test_an_offset_changes_nothing(count, offset):
    samples = noise(count)
    np.testing.assert_allclose(high_pass(samples + np.float32(offset)), high_pass(samples), atol=2e-6)


@pytest.mark.parametrize("offset", [0.0, 0.1])
def test_digital_silence_stays_digital_silence(offset):
    samples = np.concatenate([np.zeros(RATE), noise(RATE), np.zeros(RATE), noise(RATE)]).astype(np.float32)
    filtered = high_pass(samples + np.float32(offset))
    silent = samples == 0
    assert not filtered[silent].any()
    assert filtered[~silent].any()


def test_memory_does_not_grow():
    stream = HighPass()
    given_samples = sum(len(stream.push(noise(RATE))) for _ in range(60))
    assert 60 * RATE - given_samples <= STEP + 2 * HALF_LENGTH
