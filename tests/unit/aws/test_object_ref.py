"""aqscore.aws.object_ref: the order of two versions."""

import pytest

from aqscore.aws.object_ref import ObjectRef


@pytest.mark.parametrize(("a", "b"), [("01", "02"), ("FF", "0100"), ("0a", "0B"), ("9", "00A")])
def test_sequencers_compare_as_padded_hexadecimal_numbers(a, b):
    older, newer = (ObjectRef("b", "k", sequencer=sequencer) for sequencer in (a, b))
    assert older.is_older_than(newer)
    assert not newer.is_older_than(older)
    assert not older.is_older_than(older)
