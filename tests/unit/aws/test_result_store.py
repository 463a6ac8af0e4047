"""aqscore.aws.result_store as far as it needs no S3: the keys of results."""

from hypothesis import assume, given
from hypothesis import strategies as st

from aqscore.aws.result_store import ResultKind, result_key

RECORDING_KEYS = st.builds(
    "".join, st.lists(st.sampled_from(["a", "é", ".error", "~", ".json", "/"]), min_size=1)
) | st.integers(990, 1024).map(lambda length: "a" * length)


@given(one=RECORDING_KEYS, other=RECORDING_KEYS)
def test_no_two_recordings_share_a_result(one, other):
    assume(one != other)
    keys = [result_key("", recording, kind) for recording in (one, other) for kind in ResultKind]
    assert len(set(keys)) == 4
    assert max(len(key.encode()) for key in keys) <= 1024


def test_each_kind_is_the_other_of_the_other():
    for kind in ResultKind:
        assert kind.other is not kind
        assert kind.other.other is kind
