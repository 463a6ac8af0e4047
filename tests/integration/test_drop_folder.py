"""drop_folder.py with a real S3: one object in, exactly one truthful result out."""

import json
from dataclasses import replace

import pytest

from function import drop_folder as module
from function.drop_folder import DropFolder
from function.errors import BadRequest, SetupError
from function.settings import Settings
from function.storage import ObjectRef
from tests.conftest import EXAMPLES
from tests.integration.test_storage import announced, stored

SPEECH = (EXAMPLES / "clean.flac").read_bytes()


@pytest.fixture
def folder(storage, results) -> DropFolder:
    return DropFolder(Settings(results_bucket=results), storage)


def results_in(s3, bucket) -> dict[str, dict]:
    return {key: json.loads(body) for key, body in stored(s3, bucket).items()}


@pytest.mark.parametrize(
    "key", ["a.flac", "calls/a b+c%2F%.flac", "录音/第一 段.flac", "no-suffix", "a?b#c&d=e.wav"]
)
def test_a_recording_becomes_a_report_for_its_version(s3, folder, incoming, results, key):
    ref = announced(s3, incoming, key, SPEECH, "0A")
    outcome = folder.process(ref)
    assert (outcome.state, outcome.result_key) == ("scored", f"{key}.json")
    [(result_key, report)] = results_in(s3, results).items()
    assert result_key == f"{key}.json"
    assert report["source"] == {
        "bucket": incoming, "key": key, "version_id": ref.version_id, "etag": ref.etag, "sequencer": "0A",
        "size_bytes": len(SPEECH),
    }  # fmt: skip
    assert report["score"]


def test_what_cannot_be_scored_becomes_an_error_record(s3, folder, incoming, results):
    outcome = folder.process(announced(s3, incoming, "notes.wav", b"no audio", "0A"))
    assert outcome.state == "refused"
    [(key, record)] = results_in(s3, results).items()
    assert key == "notes.wav.error.json"
    assert record["error"]["type"] == "unsupported_format"
    assert record["error"]["retryable"] is False
    assert record["source"]["sequencer"] == "0A"


def test_an_object_that_is_gone_becomes_an_error_record(s3, folder, incoming, results):
    ref = announced(s3, incoming, "a.flac", SPEECH, "0A")
    s3.delete_object(Bucket=incoming, Key="a.flac", VersionId=ref.version_id)
    assert folder.process(ref).state == "refused"
    assert results_in(s3, results)["a.flac.error.json"]["error"]["type"] == "object_not_found"


def test_a_duplicate_is_not_scored_again(s3, folder, incoming, results, monkeypatch):
    good = announced(s3, incoming, "a.flac", SPEECH, "0A")
    bad = announced(s3, incoming, "b.flac", b"no audio", "0B")
    assert [folder.process(ref).state for ref in (good, bad)] == ["scored", "refused"]
    before = results_in(s3, results)
    monkeypatch.setattr(module, "score", lambda *_: pytest.fail("It was scored again."))
    assert [folder.process(ref).state for ref in (good, bad)] == ["duplicate", "duplicate"]
    assert results_in(s3, results) == before


def test_by_hand_it_is_scored_again(s3, folder, incoming):
    announced(s3, incoming, "a.flac", SPEECH, "0A")
    ref = ObjectRef(incoming, "a.flac")
    assert [folder.process(ref, again=True).state for _ in range(2)] == ["scored", "scored"]


def test_events_out_of_order_leave_the_newest_version(s3, folder, incoming, results):
    first = announced(s3, incoming, "a.flac", SPEECH, "0A")
    second = announced(s3, incoming, "a.flac", b"overwritten with text", "0B")
    assert folder.process(second).state == "refused"
    assert folder.process(first).state == "superseded"
    assert list(results_in(s3, results)) == ["a.flac.error.json"]


def test_a_newer_version_takes_the_place_of_an_older_ones_result(s3, folder, incoming, results):
    assert folder.process(announced(s3, incoming, "a.flac", b"text", "0A")).state == "refused"
    assert folder.process(announced(s3, incoming, "a.flac", SPEECH, "0B")).state == "scored"
    assert list(results_in(s3, results)) == ["a.flac.json"]


def test_without_versions_an_overwritten_object_waits_for_its_own_event(s3, folder, plain_incoming, results):
    first = announced(s3, plain_incoming, "a.flac", SPEECH, "0A")
    second = announced(s3, plain_incoming, "a.flac", SPEECH + b"\0", "0B")
    assert folder.process(first).state == "superseded"
    assert stored(s3, results) == {}
    assert folder.process(second).state == "scored"


def test_results_are_never_scored(folder, results):
    with pytest.raises(BadRequest, match="lies where results are written"):
        folder.process(ObjectRef(results, "a.flac.json"))


def test_a_prefix_goes_before_every_result(s3, storage, incoming, results):
    settings = replace(Settings(results_bucket=results), results_prefix="scores/")
    DropFolder(settings, storage).process(announced(s3, incoming, "a.flac", SPEECH, "0A"))
    assert list(stored(s3, results)) == ["scores/a.flac.json"]


def test_without_a_results_bucket_it_does_not_start(storage):
    with pytest.raises(SetupError, match="AQSCORE_RESULTS_BUCKET is not set"):
        DropFolder(Settings(), storage)


def test_an_object_named_without_its_version_is_not_scored_twice(s3, folder, incoming, results, monkeypatch):
    """As S3 Batch Operations and people name it."""
    named = ObjectRef(incoming, "a.flac")
    announced(s3, incoming, "a.flac", SPEECH, "0A")
    assert folder.process(named).state == "scored"
    with monkeypatch.context() as patch:
        patch.setattr(module, "score", lambda *_: pytest.fail("it was scored again"))
        assert folder.process(named).state == "duplicate"
    announced(s3, incoming, "a.flac", SPEECH + b"\0", "0B")
    assert folder.process(named).state == "scored"
