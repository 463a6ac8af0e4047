"""aqscore.aws.result_store as far as it needs no S3: the keys of results."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aqscore.aws.result_store import MAX_STEM_BYTES, ResultKind, result_key

LONG_KEYS = st.integers(990, 1024).map(lambda length: "a" * length)
RECORDING_KEYS = (
    st.builds("".join, st.lists(st.sampled_from(["a", "é", ".error", "~", ".json", "/"]), min_size=1))
    | LONG_KEYS
    | LONG_KEYS.map(lambda key: result_key("", key, ResultKind.REPORT).removesuffix(".json"))
)


@given(one=RECORDING_KEYS, other=RECORDING_KEYS)
def test_no_two_recordings_share_a_result(one, other):
    assume(one != other)
    keys = [result_key("", recording, kind) for recording in (one, other) for kind in ResultKind]
    assert len(set(keys)) == 4
    assert max(len(key.encode()) for key in keys) <= 1024


@pytest.mark.parametrize("character", ["a", "é", "录", "🎙"])
def test_a_recording_named_like_the_result_of_a_longer_name_has_its_own(character):
    long = character * (1024 // len(character.encode()))
    taken = result_key("", long, ResultKind.REPORT)
    named_like_it = taken.removesuffix(".json")
    assert len(named_like_it.encode()) <= MAX_STEM_BYTES
    assert result_key("", named_like_it, ResultKind.REPORT) != taken


def test_each_kind_is_the_other_of_the_other():
    for kind in ResultKind:
        assert kind.other is not kind
        assert kind.other.other is kind
