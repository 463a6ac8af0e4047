"""Signal statistics: levels, silence, SNR and bandwidth of signals whose values are known."""

import numpy as np
import pytest
import soxr

from aqscore.analysis.signal_statistics import SignalStatistics
from aqscore.model.features import frames_of


def measured(samples, speech=None, cuts=()) -> SignalStatistics:
    samples = np.asarray(samples, np.float32)
    statistics = SignalStatistics(0.5)
    for block in np.split(samples, cuts):
        statistics.add_samples(block)
    frames = frames_of(samples)
    statistics.add_frames(frames, np.ones(len(frames), np.float32) if speech is None else speech)
    return statistics


def test_level_is_the_rms_in_dbfs():
    sine = 0.1 * np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000)
    assert measured(sine, cuts=[100, 5_000]).level_dbfs == pytest.approx(-23.01, abs=0.01)


def test_digital_silence_has_no_level_and_no_bandwidth():
    statistics = measured(np.zeros(16_000))
    assert (statistics.level_dbfs, statistics.bandwidth_hz, statistics.silent_share) == (None, None, 1.0)


def test_silent_share(rng):
    noise = rng.standard_normal(80_000) * 0.1
    assert measured(np.concatenate([noise, np.zeros(80_000)]), cuts=[777]).silent_share == pytest.approx(
        0.5, abs=0.02
    )


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 30.0])
def test_snr_of_bursts_in_noise(rng, snr_db):
    noise = rng.standard_normal(160_000) * 0.01
    on = (np.arange(160_000) // 16_000) % 2 == 1
    speech = rng.standard_normal(160_000) * 0.01 * 10 ** (snr_db / 20) * on
    frames = len(frames_of(np.zeros(160_000)))
    centres = (np.arange(frames) * 256 + 256).astype(int)
    assert measured(noise + speech, speech=on[centres].astype(np.float32)).snr_db == pytest.approx(
        snr_db, abs=0.5
    )


def test_snr_needs_speech_and_pauses(rng):
    assert measured(rng.standard_normal(16_000)).snr_db is None


@pytest.mark.parametrize("cuts", [(), (5,), (37, 38, 39), range(1, 300)])
def test_the_clearest_speech_is_the_highest_mean_over_six_tenths_of_a_second(rng, cuts):
    speech = rng.random(300).astype(np.float32)
    statistics = SignalStatistics(0.5)
    for block in np.split(speech, cuts):
        statistics.add_frames(np.zeros((len(block), 257), np.float32), block)
    means = [speech[start : start + 38].mean() for start in range(300 - 37)]
    assert statistics.clearest_speech == pytest.approx(max(means), abs=1e-6)


def test_the_clearest_speech_of_less_than_that_is_the_mean_of_all():
    statistics = SignalStatistics(0.5)
    for speech in ([1.0, 1.0], [0.0, 0.0]):
        statistics.add_frames(np.zeros((2, 257), np.float32), np.array(speech, np.float32))
    assert statistics.clearest_speech == 0.5


@pytest.mark.parametrize(
    ("rate", "low", "high"), [(8_000, 3_700, 4_300), (11_025, 5_200, 5_800), (16_000, 7_900, 8_000)]
)
def test_bandwidth_is_the_highest_frequency_of_the_sound(rng, rate, low, high):
    noise = soxr.resample(rng.standard_normal(4 * rate), rate, 16_000)
    assert low <= measured(noise).bandwidth_hz <= high
