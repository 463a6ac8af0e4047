"""aqscore.aws.object_ref: the order of two versions."""

from datetime import UTC, datetime

import pytest

from aqscore.aws.object_ref import ObjectRef

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def version(sequencer: str | None, modified: datetime | None = None) -> ObjectRef:
    return ObjectRef("b", "k", sequencer=sequencer, modified=modified)


@pytest.mark.parametrize(("a", "b"), [("01", "02"), ("0a", "0B"), ("09FF", "0A00")])
def test_sequencers_of_one_length_compare_as_hexadecimal_numbers(a, b):
    assert version(a, LATE).is_older_than(version(b, EARLY))
    assert not version(b, EARLY).is_older_than(version(a, LATE))
    assert not version(a).is_older_than(version(a))


@pytest.mark.parametrize(("a", "b"), [("FF", "0100"), ("0100", "FF"), ("9", "00A"), ("1", "10")])
def test_sequencers_of_different_length_decide_nothing(a, b):
    """Copies of S3's documentation disagree on the side on which the shorter one is padded with zeros."""
    assert not version(a).is_older_than(version(b))
    assert not version(b).is_older_than(version(a))
    assert version(a, EARLY).is_older_than(version(b, LATE))
    assert not version(a, LATE).is_older_than(version(b, EARLY))


def test_without_sequencers_the_times_decide():
    assert version(None, EARLY).is_older_than(version("01", LATE))
    assert not version(None, EARLY).is_older_than(version("01"))
