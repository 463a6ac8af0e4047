"""PeakStatistics: peak and runs at full scale."""

import numpy as np
import pytest

from aqscore.audio.peaks import PeakStatistics


def test_clipping_is_two_samples_in_a_row_at_full_scale():
    peaks = PeakStatistics()
    peaks.add(np.array([[0.5], [1.0], [-1.0], [1.0], [0.0]], np.float32))
    peaks.add(np.array([[-0.7], [1.0], [0.0], [1.0], [0.0]], np.float32))
    assert peaks.peak == 1.0
    assert peaks.clipped_share == pytest.approx(0.2)


def test_channels_count_apart():
    peaks = PeakStatistics()
    peaks.add(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], np.float32))
    assert peaks.clipped_share == pytest.approx(1 / 6)


def test_nothing_is_not_clipped():
    assert (PeakStatistics().peak, PeakStatistics().clipped_share) == (0.0, 0.0)
