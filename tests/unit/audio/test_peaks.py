"""PeakStatistics: peaks, and runs of equal samples at a channel's own peak."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqscore.audio.peaks import PeakStatistics

RATE = 16_000
THRESHOLD = 2e-4  # of the warning


def speechlike(rng, level=0.1, seconds=6) -> np.ndarray:
    """Bursts of a harmonic sound whose loudness varies, (n,) float64 with many peaks of different heights."""
    at = np.arange(seconds * RATE) / RATE
    pitch = np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * at)) / RATE
    voice = sum(np.sin(2 * np.pi * n * pitch + n * n) / n for n in range(1, 30))
    loudness = np.interp(
        at, np.arange(0, seconds + 1, 0.1), rng.gamma(1.0, 1.0, len(np.arange(0, seconds + 1, 0.1)))
    )
    return level * loudness * (voice + 0.01 * rng.standard_normal(len(at)))


def share(samples, cuts=()) -> float:
    samples = np.asarray(samples, np.float32)
    samples = samples if samples.ndim == 2 else samples[:, None]
    peaks = PeakStatistics(samples.shape[1])
    for block in np.split(samples, cuts):
        peaks.add(block)
    return peaks.clipped_share(range(samples.shape[1]))


def pcm(samples, bits=16) -> np.ndarray:
    scale = 2.0 ** (bits - 1)
    return np.clip(np.round(np.asarray(samples) * scale), -scale, scale - 1) / scale


def mu_law(samples) -> np.ndarray:
    """Through 8 bits of G.711 mu-law: full scale is 0.98."""
    value = np.minimum(np.abs(pcm(samples)) * 32_768, 32_635) + 132
    exponent = np.floor(np.log2(value)) - 7
    step = 2.0 ** (exponent + 3)
    return np.sign(samples) * (np.floor(value / step) * step + step / 2 - 132) / 32_768


def test_the_share_is_that_of_the_samples_that_continue_a_run():
    samples = np.tile([0.1, 1.0, 1.0, 1.0, 0.2, -0.3, -1.0, -1.0, -0.4, 0.0], 100)
    assert share(samples) == pytest.approx(0.3)
    assert share(np.stack([samples, np.zeros(1_000)], axis=1)) == pytest.approx(0.15)


@pytest.mark.parametrize("gain", [1.0, 0.977, 0.5, 0.01])
@pytest.mark.parametrize("bits", [16, 24])
def test_clipped_speech_stays_clipped_when_turned_down(rng, gain, bits):
    clipped = pcm(np.clip(speechlike(rng, 0.4), -1, 1))
    assert share(clipped) > 10 * THRESHOLD
    assert share(pcm(clipped * gain, bits)) == pytest.approx(share(clipped), rel=0.05)


def test_clipping_survives_dither_and_an_offset(rng):
    clipped = 0.5 * np.clip(speechlike(rng, 0.4), -1, 1)
    assert share(pcm(clipped + 0.02)) > 10 * THRESHOLD
    assert share(pcm(clipped + rng.uniform(-0.5, 0.5, len(clipped)) / 32_768)) > 10 * THRESHOLD


def test_g711_is_clipped_at_its_own_peak(rng):
    assert share(mu_law(speechlike(rng, 0.4))) > 10 * THRESHOLD
    assert share(0.5 * mu_law(speechlike(rng, 0.4))) > 10 * THRESHOLD


@pytest.mark.parametrize("level", [0.2, 0.05, 0.01, 0.001])
def test_steps_of_a_coarse_format_are_no_clipping(rng, level):
    speech = speechlike(rng, level)
    speech *= min(1.0, 0.97 / np.abs(speech).max())
    for made in (speech, pcm(speech), pcm(speech, 8), mu_law(speech), mu_law(speech[::2])):
        assert share(made) == 0


def test_floats_beyond_full_scale_are_not_clipped(rng):
    loud = speechlike(rng, 2.0)
    peaks = PeakStatistics(1)
    peaks.add(loud[:, None].astype(np.float32))
    assert peaks.clipped_share([0]) == 0
    assert peaks.peak([0]) == pytest.approx(np.abs(loud).max()) and peaks.peak([0]) > 2


def test_a_sine_is_not_clipped():
    for frequency in (50, 440, 3_000):
        for level in (1.0, 0.01):
            assert share(pcm(level * np.sin(2 * np.pi * frequency * np.arange(RATE) / RATE))) == 0


def test_nothing_is_not_clipped():
    assert (PeakStatistics(1).peak([0]), PeakStatistics(1).clipped_share([0])) == (0.0, 0.0)
    assert share(np.zeros(RATE)) == 0


CLIPPED = np.clip(speechlike(np.random.default_rng(3), 0.4, 2), -0.7, 0.8)


@given(cuts=st.sets(st.integers(1, len(CLIPPED) - 1), max_size=6), polarity=st.sampled_from([1, -1]))
def test_neither_blocks_nor_polarity_matter(cuts, polarity):
    assert share(polarity * CLIPPED, sorted(cuts)) == share(CLIPPED) > 0
