"""The active speech level, against ITU-T P.56's method B computed sample by sample."""

import numpy as np
import pytest

from aqscore.analysis.active_level import ActiveLevel, EnvelopeStream

RATE = 16_000


def active_level_of(samples, cuts=()) -> float | None:
    hops = np.asarray(samples, np.float32)[: len(samples) // 256 * 256].reshape(-1, 256)
    envelope, level = EnvelopeStream(), ActiveLevel()
    for block in np.split(hops, cuts):
        level.add(np.mean(block**2, axis=1), envelope.push(block))
    return level.dbfs


def reference(samples) -> float:
    """Clauses 7.1 and 7.2, with thresholds a factor 2 apart and interpolation between them."""
    decay, hangover = np.exp(-1 / (0.03 * RATE)), round(0.2 * RATE)
    thresholds = 2.0 ** np.arange(-15, 0)
    active, since = np.zeros(15), np.full(15, hangover)
    first = second = 0.0
    for sample in samples:
        first = decay * first + (1 - decay) * abs(sample)
        second = decay * second + (1 - decay) * first
        above = second >= thresholds
        since = np.where(above, 0, since + 1)
        active += since <= hangover
    energy = np.sum(np.square(samples))
    known = active > 0
    levels = 10 * np.log10(energy / active[known])
    margins = levels - 20 * np.log10(thresholds[known])
    return float(np.interp(15.9, margins[::-1], levels[::-1]))


@pytest.mark.parametrize("pause_s", [0.05, 0.3, 1.0])
def test_the_level_is_that_of_the_recommendation(rng, pause_s):
    burst, pause = 0.1 * rng.standard_normal(RATE // 2), np.zeros(round(pause_s * RATE))
    samples = np.concatenate([part * gain for gain in (1.0, 0.3, 0.7, 0.5) for part in (burst, pause)])
    samples += 1e-4 * rng.standard_normal(len(samples))
    assert active_level_of(samples) == pytest.approx(reference(samples), abs=0.3)


def test_a_steady_sound_is_active_throughout(rng):
    noise = 0.05 * rng.standard_normal(10 * RATE)
    assert active_level_of(noise) == pytest.approx(20 * np.log10(0.05), abs=0.2)


def test_pauses_do_not_lower_it(rng):
    burst = 0.05 * rng.standard_normal(2 * RATE)
    apart = np.concatenate([part for _ in range(5) for part in (burst, np.zeros(20 * RATE))])
    assert active_level_of(apart) == pytest.approx(active_level_of(np.tile(burst, 5)), abs=0.8)


def test_silence_has_none():
    assert active_level_of(np.zeros(RATE)) is None


def test_blocks_do_not_matter(rng):
    noise = 0.05 * rng.standard_normal(2 * RATE)
    assert active_level_of(noise, cuts=[1, 2, 50]) == pytest.approx(active_level_of(noise), abs=1e-5)
