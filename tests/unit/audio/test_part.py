"""PartSlicer: the part of a recording, whatever the blocks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aqscore.audio.part import Part, PartSlicer


@given(start=st.integers(0, 120), length=st.integers(1, 120), cuts=st.lists(st.integers(0, 100), max_size=6))
def test_the_blocks_of_a_part_are_its_samples(start, length, cuts):
    samples = np.arange(100, dtype=np.float32)[:, None]
    slicer = PartSlicer(Part(start_s=start / 10, end_s=(start + length) / 10), sample_rate_hz=10)
    parts = [samples[:0]]
    for block in np.split(samples, sorted(cuts)):
        parts.append(slicer.cut(block))
        if len(parts[-1]):
            assert parts[-1][0, 0] == slicer.position
    np.testing.assert_array_equal(np.concatenate(parts), samples[start : start + length])
    assert (slicer.seen, slicer.taken) == (100, len(samples[start : start + length]))
    assert slicer.complete == (start + length <= 100)


def test_the_whole_is_never_complete_before_the_end():
    slicer = PartSlicer(Part(), sample_rate_hz=10)
    assert len(slicer.cut(np.zeros((5, 1), np.float32))) == 5
    assert not slicer.complete
