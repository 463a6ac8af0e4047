"""Features: the frames follow their definition, and don't depend on how the samples arrive."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqscore.model.features import SPEC, FrameStream, frame_count, frames_of
from aqscore.model.high_pass import HALF_LENGTH, HighPass


def streamed(samples: np.ndarray, cuts: list[int]) -> np.ndarray:
    high_pass, stream = HighPass(), FrameStream()
    parts = [stream.push(high_pass.push(block)) for block in np.split(samples, sorted(cuts))]
    return np.concatenate([*parts, stream.push(high_pass.finish()), stream.finish()])


@settings(max_examples=30)
@given(data=st.data())
def test_frames_do_not_depend_on_the_block_size(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    samples = rng.standard_normal(data.draw(st.integers(0, 40_000))).astype(np.float32)
    cuts = data.draw(st.lists(st.integers(0, len(samples)), max_size=20))
    np.testing.assert_array_equal(streamed(samples, cuts), frames_of(samples))


def test_frames_do_not_depend_on_the_block_size_beyond_the_reach_of_the_level(rng):
    samples = (rng.standard_normal(90 * 16_000) * np.repeat(rng.uniform(0.01, 1, 90), 16_000)).astype(
        np.float32
    )
    whole = frames_of(samples)
    for size in (997, 65_536):
        np.testing.assert_array_equal(streamed(samples, list(range(size, len(samples), size))), whole)


def test_a_frame_is_the_magnitude_of_a_hamming_windowed_dft(rng):
    samples = rng.standard_normal(512).astype(np.float32)
    n = np.arange(512)
    window = 0.54 - 0.46 * np.cos(2 * np.pi * n / 512)
    dft = np.exp(-2j * np.pi * np.outer(np.arange(257), n) / 512) @ (samples * window)
    stream = FrameStream()
    [frame] = np.concatenate([stream.push(samples), stream.finish()])
    expected = np.abs(dft)
    np.testing.assert_allclose(frame / frame.sum(), expected / expected.sum(), rtol=1e-4)


@pytest.mark.parametrize("gain", [0.01, 0.1, -1.0, 10.0, 1e-4])
def test_gain_and_polarity_drop_out(speech, gain):
    np.testing.assert_allclose(frames_of(speech * np.float32(gain)), frames_of(speech), rtol=1e-3, atol=1e-6)


def test_silence_around_speech_leaves_its_frames_as_they_are(speech):
    silence = np.zeros(10 * 16_000 // SPEC.hop * SPEC.hop, np.float32)
    frames = frames_of(np.concatenate([silence, speech]))
    edge = 1 + HALF_LENGTH // SPEC.hop  # frames within the filter's reach of the beginning
    shift = len(silence) // SPEC.hop + edge
    np.testing.assert_allclose(frames[shift:], frames_of(speech)[edge:], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("offset", [0.01, -0.3])
def test_an_offset_drops_out(speech, offset):
    np.testing.assert_allclose(
        frames_of(speech + np.float32(offset)), frames_of(speech), rtol=0.01, atol=1e-4
    )


def test_digital_silence_makes_frames_of_zeros():
    assert not frames_of(np.zeros(16_000, np.float32)).any()


@pytest.mark.parametrize(
    ("samples", "frames"), [(0, 0), (511, 0), (512, 1), (767, 1), (768, 2), (160_000, 624)]
)
def test_frame_count(samples, frames):
    assert frame_count(samples) == frames == len(frames_of(np.zeros(samples, np.float32)))


def test_memory_stays_bounded(rng):
    stream = FrameStream()
    block = rng.standard_normal(16_000).astype(np.float32)
    sizes = []
    tracemalloc.start()
    for _ in range(120):
        stream.push(block)
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert max(sizes[100:]) <= max(sizes[61:80]) + 100_000
    assert max(sizes) < 6_000_000
