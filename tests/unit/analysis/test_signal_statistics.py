"""Signal statistics: levels, silence, SNR and bandwidth of signals whose values are known."""

import tracemalloc

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from aqscore.analysis.signal_statistics import SignalStatistics
from aqscore.model.features import frame_count
from aqscore.model.high_pass import high_pass

RATE = 16_000


def measured(samples, speech=None, cuts=()) -> SignalStatistics:
    """The statistics behind the high-pass filter; all of it is speech where no probabilities are given."""
    statistics = SignalStatistics(0.5)
    for block in np.split(high_pass(np.asarray(samples, np.float32)), cuts):
        statistics.add_samples(block)
    count = frame_count(len(samples))
    if count:
        statistics.add_speech(np.ones(count, np.float32) if speech is None else speech)
    return statistics


def speechlike(rng, seconds=8, level=0.05) -> tuple[np.ndarray, np.ndarray]:
    """A signal that alternates vowels, fricatives and pauses, and the speech probability of its frames.

    A vowel lasts 0.2 s and has its energy below 1.5 kHz; a fricative lasts 0.1 s and fills the upper half of
    the band, 15 dB below.
    """
    at = np.arange(round(seconds * RATE))
    cycle = at % 8_000
    noise = rng.standard_normal((2, len(at)))
    pitch = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 1.3 * at / RATE)) / RATE
    voice = sum(np.sin(n * pitch + n * n) / (1 + n / 4) ** 2 for n in range(1, 60)) + 0.001 * noise[0]
    hiss = soxr.resample(noise[1], RATE, RATE)
    hiss -= soxr.resample(soxr.resample(hiss, RATE, 7_000), 7_000, RATE)[: len(hiss)]
    vowel, fricative = cycle < 3_200, (cycle >= 3_200) & (cycle < 4_800)
    gain = level / np.sqrt(np.mean(voice**2))
    samples = gain * voice * vowel + 0.18 * level / np.sqrt(np.mean(hiss**2)) * hiss * fricative
    centres = np.arange(frame_count(len(at))) * 256 + 256
    return samples, (cycle[centres] < 4_800).astype(np.float32)


def summary(statistics) -> dict:
    return {
        name: getattr(statistics, name)
        for name in ("level_dbfs", "active_level_dbfs", "silent_share", "snr_db", "bandwidth_hz")
    }


def assert_alike(found, expected, decibels=0.1):
    for name, value in summary(expected).items():
        assert getattr(found, name) == pytest.approx(
            value, abs=0.01 if name == "silent_share" else decibels
        ), name


def through_8_khz(samples, kind) -> np.ndarray:
    low = soxr.resample(samples, RATE, 8_000)
    if kind == "repeated":
        return np.repeat(low, 2)
    if kind == "interpolated":
        return np.interp(np.arange(2 * len(low)) / 2, np.arange(len(low)), low)
    return soxr.resample(low, 8_000, RATE)


def test_level_is_the_rms_in_dbfs():
    sine = 0.1 * np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000)
    assert measured(sine, cuts=[100, 5_000]).level_dbfs == pytest.approx(-23.01, abs=0.02)


def test_digital_silence_has_no_level_and_no_bandwidth():
    statistics = measured(np.zeros(16_000))
    assert summary(statistics) == {
        "level_dbfs": None, "active_level_dbfs": None, "silent_share": 1.0, "snr_db": None,
        "bandwidth_hz": None,
    }  # fmt: skip


def test_an_offset_alone_is_silence():
    assert measured(np.full(16_000, 0.3)).silent_share == 1.0
    assert measured(np.full(16_000, 0.3)).level_dbfs is None


@pytest.mark.parametrize("samples", [0, 1, 255, 256, 511, 512])
def test_the_shortest_signals_have_statistics(rng, samples):
    statistics = measured(rng.standard_normal(samples) * 0.1)
    assert (statistics.level_dbfs is None) == (samples < 2)  # one sample is an offset
    assert 0 <= statistics.silent_share <= 1


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
    centres = np.arange(frame_count(160_000)) * 256 + 256
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
        statistics.add_speech(block)
    means = [speech[start : start + 38].mean() for start in range(300 - 37)]
    assert statistics.clearest_speech == pytest.approx(max(means), abs=1e-6)


def test_the_clearest_speech_of_less_than_that_is_the_mean_of_all():
    statistics = SignalStatistics(0.5)
    for speech in ([1.0, 1.0], [0.0, 0.0]):
        statistics.add_speech(np.array(speech, np.float32))
    assert statistics.clearest_speech == 0.5


@pytest.mark.parametrize(
    ("rate", "low", "high"), [(8_000, 3_500, 4_250), (11_025, 5_000, 5_750), (16_000, 7_750, 8_000)]
)
def test_bandwidth_is_the_highest_frequency_of_the_sound(rng, rate, low, high):
    noise = soxr.resample(rng.standard_normal(4 * rate), rate, 16_000)
    assert low <= measured(noise).bandwidth_hz <= high
    samples, speech = speechlike(rng)
    limited = soxr.resample(soxr.resample(samples, RATE, rate), rate, RATE)[: len(samples)]
    assert low <= measured(limited, speech).bandwidth_hz <= high


@pytest.mark.parametrize("kind", ["filtered", "repeated", "interpolated"])
@pytest.mark.parametrize("disturbance", ["nothing", "clicks", "hiss", "16 bits", "whistle"])
def test_telephone_speech_is_narrow_whatever_lies_above(rng, kind, disturbance):
    samples, speech = speechlike(rng)
    narrow = through_8_khz(samples, kind)
    if disturbance == "clicks":
        narrow[[20_000, 55_000, 90_123]] = 0.9
    if disturbance == "hiss":
        narrow += 0.001 * rng.standard_normal(len(narrow))  # -60 dBFS
    if disturbance == "16 bits":
        narrow = np.round(narrow * 32_768) / 32_768
    if disturbance == "whistle":
        narrow += 0.002 * np.sin(2 * np.pi * 6_100 * np.arange(len(narrow)) / RATE)
    assert measured(narrow, speech).bandwidth_hz <= 4_000


@pytest.mark.parametrize("hiss_dbfs", [-90, -60, -50, -40, -30, -20])
def test_hiss_does_not_make_wideband_speech_narrow(rng, hiss_dbfs):
    samples, speech = speechlike(rng)
    noisy = samples + 10 ** (hiss_dbfs / 20) * rng.standard_normal(len(samples))
    assert measured(noisy, speech).bandwidth_hz >= 7_500


def test_music_in_the_pauses_does_not_widen_telephone_speech(rng):
    samples, speech = speechlike(rng)
    narrow = np.concatenate([through_8_khz(samples, "filtered"), 0.1 * rng.standard_normal(64_000)])
    assert measured(narrow, np.pad(speech, (0, frame_count(len(narrow)) - len(speech)))).bandwidth_hz <= 4_000


@pytest.mark.parametrize("change", ["offset", "rumble", "polarity"])
def test_inaudible_changes_leave_the_statistics_alone(rng, change):
    samples, speech = speechlike(rng)
    samples = samples + 1e-3 * rng.standard_normal(len(samples))
    changed = {
        "offset": samples + 0.1,
        "rumble": samples + 0.05 * np.cos(2 * np.pi * 8 * np.arange(len(samples)) / RATE),
        "polarity": -samples,
    }[change]
    assert_alike(measured(changed, speech), measured(samples, speech), decibels=0.3)


SHORT, SHORT_SPEECH = speechlike(np.random.default_rng(2), seconds=2)
SHORT += 0.001 * np.random.default_rng(3).standard_normal(len(SHORT))


@given(gain_db=st.floats(-30, 30))
def test_the_gain_moves_levels_and_nothing_else(gain_db):
    samples, speech = SHORT, SHORT_SPEECH
    found, expected = measured(samples * 10 ** (gain_db / 20), speech), measured(samples, speech)
    assert found.level_dbfs == pytest.approx(expected.level_dbfs + gain_db, abs=0.05)
    assert found.active_level_dbfs == pytest.approx(expected.active_level_dbfs + gain_db, abs=0.2)
    assert found.snr_db == pytest.approx(expected.snr_db, abs=0.05)
    assert found.bandwidth_hz == expected.bandwidth_hz


def test_silence_around_speech_moves_only_what_it_should(rng):
    samples, speech = speechlike(rng)
    samples += 1e-4 * rng.standard_normal(len(samples))
    silence = np.zeros(20 * RATE)
    longer = np.concatenate([silence, samples, silence])
    probabilities = np.pad(speech, (1_250, frame_count(len(longer)) - 1_250 - len(speech)))
    found, expected = measured(longer, probabilities), measured(samples, speech)
    assert found.active_level_dbfs == pytest.approx(expected.active_level_dbfs, abs=0.1)
    assert found.snr_db == pytest.approx(expected.snr_db, abs=0.2)
    assert found.bandwidth_hz == expected.bandwidth_hz
    assert found.level_dbfs < expected.level_dbfs - 5


def test_a_beep_outside_of_speech_does_not_raise_its_level(rng):
    samples, speech = speechlike(rng, level=0.001)
    beep = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(RATE) / RATE)
    found = SignalStatistics(0.5)
    found.add_samples(high_pass(np.concatenate([beep, samples]).astype(np.float32)))
    found.add_speech(np.concatenate([np.zeros(63, np.float32), speech[:-1]]))
    assert found.level_dbfs > -25
    assert found.active_level_dbfs == pytest.approx(measured(samples, speech).active_level_dbfs, abs=0.5)


@given(cuts=st.sets(st.integers(1, len(SHORT) - 1), max_size=8))
def test_blocks_do_not_matter(cuts):
    found, expected = measured(SHORT, SHORT_SPEECH, sorted(cuts)), measured(SHORT, SHORT_SPEECH)
    assert_alike(found, expected, decibels=1e-4)


def test_memory_does_not_grow_while_silence_waits_for_the_network(rng):
    """The silence gate withholds the frames of a long digital silence: hours, in the worst case."""
    statistics = SignalStatistics(0.5)
    statistics.add_samples((0.1 * rng.standard_normal(RATE)).astype(np.float32))
    tracemalloc.start()
    for _ in range(60):
        statistics.add_samples(np.zeros(60 * RATE, np.float32))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1e6
