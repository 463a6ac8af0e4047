"""aqscore.aws.object_scorer with a real S3: each object has exactly one result, of its newest version."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from aqscore.audio.worker_pool import default_pool
from aqscore.aws.invocation import Attempt
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.aws.settings import Settings
from aqscore.config import ScorerConfig
from aqscore.errors import BadRequest, OutOfTime, SetupError
from aqscore.limits import Limits
from aqscore.pipeline import score_file
from infra.usage import S3_GETS, S3_PUTS
from tests.conftest import EXAMPLES, ROOT
from tests.integration.buckets import put, stored
from tests.recordings import titled

SPEECH = (EXAMPLES / "clean.flac").read_bytes()


@pytest.fixture
def scorer(s3_client, results) -> ObjectScorer:
    return ObjectScorer(Settings(results_bucket=results), s3_client)


@pytest.fixture
def unused_scorer(s3_client, results) -> ObjectScorer:
    """Like ``scorer``, but fails the test when it scores a file."""

    def score(file, config, /, *, time_limit_s):
        pytest.fail("The object was scored.")

    return ObjectScorer(Settings(results_bucket=results), s3_client, score=score)


def results_in(s3, bucket) -> dict[str, dict]:
    return {key: json.loads(body) for key, body in stored(s3, bucket).items()}


@pytest.mark.parametrize(
    "key", ["a.flac", "calls/a b+c%2F%.flac", "录音/第一 段.flac", "no-suffix", "a?b#c&d=e.wav"]
)
def test_a_recording_becomes_a_report_for_its_version(s3, scorer, incoming, results, key):
    ref = put(s3, incoming, key, SPEECH, "0A")
    outcome = scorer.process(ref)
    assert (outcome.state, outcome.result_key) == ("scored", f"{key}.json")
    [(result_key, report)] = results_in(s3, results).items()
    assert result_key == f"{key}.json"
    assert report["source"] == {
        "bucket": incoming, "key": key, "version_id": ref.version_id, "etag": ref.etag, "sequencer": "0A",
        "size_bytes": len(SPEECH),
    }  # fmt: skip
    assert report["score"]


def test_what_cannot_be_scored_becomes_an_error_record(s3, scorer, incoming, results):
    outcome = scorer.process(put(s3, incoming, "notes.wav", b"no audio", "0A"))
    assert outcome.state == "refused"
    [(key, record)] = results_in(s3, results).items()
    assert key == "notes.wav.error.json"
    assert record["error"]["type"] == "unsupported_format"
    assert record["error"]["retryable"] is False
    assert record["source"]["sequencer"] == "0A"


def test_an_object_that_is_gone_becomes_an_error_record(s3, scorer, incoming, results):
    ref = put(s3, incoming, "a.flac", SPEECH, "0A")
    s3.delete_object(Bucket=incoming, Key="a.flac", VersionId=ref.version_id)
    assert scorer.process(ref).state == "refused"
    assert results_in(s3, results)["a.flac.error.json"]["error"]["type"] == "object_not_found"


def test_a_duplicate_is_not_scored_again(s3, scorer, unused_scorer, incoming, results):
    good = put(s3, incoming, "a.flac", SPEECH, "0A")
    bad = put(s3, incoming, "b.flac", b"no audio", "0B")
    assert [scorer.process(ref).state for ref in (good, bad)] == ["scored", "refused"]
    before = results_in(s3, results)
    assert [unused_scorer.process(ref).state for ref in (good, bad)] == ["duplicate", "duplicate"]
    assert results_in(s3, results) == before


@pytest.fixture
def requests_to(s3):
    """Counts the requests to S3 by operation; ``requests_to.clear()`` resets the counts."""
    counts: Counter[str] = Counter()

    def count(model, **_) -> None:
        counts[model.name] += 1

    s3.meta.events.register("before-call.s3", count)
    yield counts
    s3.meta.events.unregister("before-call.s3", count)


def test_scoring_costs_the_requests_that_the_benchmark_counts(s3, scorer, incoming, requests_to):
    ref = put(s3, incoming, "a.flac", SPEECH, "0A")
    requests_to.clear()
    scorer.process(ref)
    assert requests_to == {"GetObject": 1, "HeadObject": S3_GETS - 1, "PutObject": S3_PUTS}


@pytest.mark.parametrize("body", [SPEECH, b"no audio"], ids=["report", "error record"])
def test_a_duplicate_costs_two_heads(s3, scorer, incoming, requests_to, body):
    ref = put(s3, incoming, "a.flac", body, "0A")
    scorer.process(ref)
    requests_to.clear()
    assert scorer.process(ref).state == "duplicate"
    assert requests_to == {"HeadObject": 2}


@pytest.mark.parametrize("bodies", [(SPEECH, b"no audio"), (b"no audio", SPEECH)], ids=["report", "error"])
@pytest.mark.parametrize("retried", [0, 1], ids=["older", "newer"])
def test_a_result_left_beside_a_newer_one_is_deleted_by_the_next_attempt(
    s3, scorer, incoming, results, bodies, retried
):
    """The process that wrote it ended before it looked for the other kind."""
    refs = [put(s3, incoming, "a.flac", body, f"0{n}") for n, body in enumerate(bodies)]
    left = s3.get_object(Bucket=results, Key=scorer.process(refs[0]).result_key)
    key, body = scorer.process(refs[0]).result_key, left["Body"].read()
    right = scorer.process(refs[1]).result_key
    s3.put_object(Bucket=results, Key=key, Body=body, Metadata=left["Metadata"])
    assert len(results_in(s3, results)) == 2
    scorer.process(refs[retried])
    assert list(results_in(s3, results)) == [right]


def test_another_model_rescores_only_on_request(s3, scorer, s3_client, incoming, results):
    ref = put(s3, incoming, "a.flac", SPEECH, "0A")
    scorer.process(ref)

    def score_with_another_model(file, config, /, *, time_limit_s):
        scored = score_file(file, config, time_limit_s=time_limit_s)
        return scored.model_copy(update={"model": scored.model.model_copy(update={"version": "another"})})

    another = ObjectScorer(Settings(results_bucket=results), s3_client, score=score_with_another_model)
    assert another.process(ref).state == "duplicate"
    assert another.process(ref, Attempt(rescore=True)).state == "scored"
    assert results_in(s3, results)["a.flac.json"]["model"]["version"] == "another"


def test_a_recording_named_like_an_error_record_has_other_keys(s3, scorer, incoming, results):
    keys = ("a", "a.error", "a.error~", "a.error.error")
    refs = [put(s3, incoming, key, SPEECH if "e" in key else b"no audio", "0A") for key in keys]
    assert [scorer.process(ref).state for ref in refs] == ["refused", "scored", "scored", "scored"]
    sources = {key: document["source"]["key"] for key, document in results_in(s3, results).items()}
    assert sources == {
        "a.error.json": "a",
        "a.error~.json": "a.error",
        "a.error~~.json": "a.error~",
        "a.error.error~.json": "a.error.error",
    }
    assert [scorer.process(ref).state for ref in refs] == ["duplicate"] * 4


def test_the_longest_names_have_results_too(s3, scorer, incoming, results):
    names = ["é" * 500 + end for end in ("1" * 24, "2" * 24)]
    refs = [put(s3, incoming, name, body, "0A") for name, body in zip(names, (SPEECH, b""), strict=True)]
    assert [scorer.process(ref).state for ref in refs] == ["scored", "refused"]
    assert {document["source"]["key"] for document in results_in(s3, results).values()} == set(names)
    assert [scorer.process(ref).state for ref in refs] == ["duplicate", "duplicate"]


def test_an_object_without_enough_time_left_is_postponed(s3, scorer, incoming, results):
    ref = replace(put(s3, incoming, "a.flac", SPEECH, "0A"), size_bytes=100_000_000)
    with pytest.raises(OutOfTime, match="of this invocation are left"):
        scorer.process(ref, Attempt(time_left_s=60))
    assert stored(s3, results) == {}
    assert scorer.process(ref).state == "scored"
    assert scorer.process(ref, Attempt(time_left_s=60)).state == "duplicate"


def test_a_direct_invocation_rescores(s3, scorer, incoming):
    put(s3, incoming, "a.flac", SPEECH, "0A")
    ref = ObjectRef(incoming, "a.flac")
    assert [scorer.process(ref, Attempt(rescore=True)).state for _ in range(2)] == ["scored", "scored"]


def test_events_out_of_order_leave_the_newest_version(s3, scorer, incoming, results):
    first = put(s3, incoming, "a.flac", SPEECH, "0A")
    second = put(s3, incoming, "a.flac", b"overwritten with text", "0B")
    assert scorer.process(second).state == "refused"
    assert scorer.process(first).state == "superseded"
    assert list(results_in(s3, results)) == ["a.flac.error.json"]


def test_a_newer_version_replaces_the_result_of_an_older_one(s3, scorer, incoming, results):
    assert scorer.process(put(s3, incoming, "a.flac", b"text", "0A")).state == "refused"
    assert scorer.process(put(s3, incoming, "a.flac", SPEECH, "0B")).state == "scored"
    assert list(results_in(s3, results)) == ["a.flac.json"]


def test_without_versions_an_overwritten_object_is_scored_at_its_own_event(
    s3, scorer, plain_incoming, results
):
    first = put(s3, plain_incoming, "a.flac", SPEECH, "0A")
    second = put(s3, plain_incoming, "a.flac", SPEECH + b"\0", "0B")
    assert scorer.process(first).state == "superseded"
    assert stored(s3, results) == {}
    assert scorer.process(second).state == "scored"


def test_results_are_never_scored(scorer, results):
    with pytest.raises(BadRequest, match="is under the prefix of results"):
        scorer.process(ObjectRef(results, "a.flac.json"))


def test_the_results_prefix_precedes_every_key(s3, s3_client, incoming, results):
    settings = replace(Settings(results_bucket=results), results_prefix="scores/")
    ObjectScorer(settings, s3_client).process(put(s3, incoming, "a.flac", SPEECH, "0A"))
    assert list(stored(s3, results)) == ["scores/a.flac.json"]


def test_without_a_results_bucket_the_scorer_does_not_start(s3_client):
    with pytest.raises(SetupError, match="AQSCORE_RESULTS_BUCKET is not set"):
        ObjectScorer(Settings(), s3_client)


def test_an_object_named_without_its_version_is_not_scored_twice(s3, scorer, unused_scorer, incoming):
    """S3 Batch Operations and direct invocations name objects in this form."""
    named = ObjectRef(incoming, "a.flac")
    put(s3, incoming, "a.flac", SPEECH, "0A")
    assert scorer.process(named).state == "scored"
    assert unused_scorer.process(named).state == "duplicate"
    put(s3, incoming, "a.flac", SPEECH + b"\0", "0B")
    assert scorer.process(named).state == "scored"


def test_a_decoder_that_hangs_is_stopped_in_time(s3, s3_client, incoming, results, monkeypatch, speech):
    """The recording is postponed; with enough time it has an error record when its limit is reached."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "hostile")
    default_pool.close()  # earlier workers don't have that folder in their path
    limits = Limits(max_decode_s=0.5)
    ref = put(s3, incoming, "a.wav", titled("hang", speech), "0A")
    long_limit = Settings(
        results_bucket=results, scorer=ScorerConfig(limits=replace(limits, max_decode_s=60))
    )
    with pytest.raises(OutOfTime, match="longer than the time limit"):
        ObjectScorer(long_limit, s3_client).process(ref, Attempt(time_left_s=4))
    assert stored(s3, results) == {}
    scorer = ObjectScorer(Settings(results_bucket=results, scorer=ScorerConfig(limits=limits)), s3_client)
    assert scorer.process(ref).state == "refused"
    default_pool.close()
    assert results_in(s3, results)["a.wav.error.json"]["error"]["type"] == "limit_exceeded"


def archived(s3, bucket: str, key: str, storage_class: str) -> ObjectRef:
    answer = s3.put_object(Bucket=bucket, Key=key, Body=SPEECH, StorageClass=storage_class)
    return ObjectRef(bucket, key, answer["VersionId"], answer["ETag"].strip('"'), "0A", len(SPEECH))


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_is_scored_once_it_is_restored(s3, scorer, incoming, results, storage_class):
    ref = archived(s3, incoming, "a.flac", storage_class)
    assert scorer.process(ref).state == "refused"
    [record] = results_in(s3, results).values()
    assert (record["error"]["type"], record["error"]["retryable"]) == ("object_archived", False)
    assert "restore-object" in record["error"]["advice"]
    assert scorer.process(ref).state == "duplicate"
    s3.restore_object(Bucket=incoming, Key="a.flac", RestoreRequest={"Days": 1})
    restored = replace(ref, sequencer=None, restored=True)
    assert [scorer.process(restored).state for _ in range(2)] == ["scored", "duplicate"]
    assert list(results_in(s3, results)) == ["a.flac.json"]


def test_an_object_encrypted_with_a_callers_key_has_an_error_record(s3, scorer, incoming, results):
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    answer = s3.put_object(Bucket=incoming, Key="a.flac", Body=SPEECH, **key)
    ref = ObjectRef(incoming, "a.flac", answer["VersionId"], answer["ETag"].strip('"'), "0A")
    assert [scorer.process(ref).state for _ in range(2)] == ["refused", "duplicate"]
    assert scorer.process(ObjectRef(incoming, "a.flac")).state == "refused"  # S3 tells its version to nobody
    [record] = results_in(s3, results).values()
    assert (record["error"]["type"], record["error"]["retryable"]) == ("object_unreadable", False)
    assert scorer.process(put(s3, incoming, "a.flac", SPEECH, "0B")).state == "scored"
    assert list(results_in(s3, results)) == ["a.flac.json"]


def test_a_delete_marker_has_no_result_of_its_own(s3, scorer, incoming, results):
    put(s3, incoming, "a.flac", SPEECH, "0A")
    marker = s3.delete_object(Bucket=incoming, Key="a.flac")["VersionId"]
    assert scorer.process(ObjectRef(incoming, "a.flac", marker)).state == "refused"
    [record] = results_in(s3, results).values()
    assert record["error"]["type"] == "object_not_found"
    s3.delete_object(Bucket=incoming, Key="a.flac", VersionId=marker)
    assert scorer.process(ObjectRef(incoming, "a.flac")).state == "scored"
    assert list(results_in(s3, results)) == ["a.flac.json"]


def test_an_older_version_that_is_current_again_is_scored(s3, scorer, incoming, results):
    older = put(s3, incoming, "a.flac", SPEECH, "0A")
    newer = put(s3, incoming, "a.flac", b"no audio", "0B")
    assert [scorer.process(ref).state for ref in (newer, older)] == ["refused", "superseded"]
    s3.delete_object(Bucket=incoming, Key="a.flac", VersionId=newer.version_id)
    assert scorer.process(ObjectRef(incoming, "a.flac")).state == "scored"
    assert scorer.process(newer).state == "superseded"
    [report] = results_in(s3, results).values()
    assert report["source"]["version_id"] == older.version_id


@pytest.mark.parametrize("bucket", ["incoming", "plain_incoming"])
def test_sequencers_of_different_length_let_s3_decide(s3, scorer, results, request, bucket):
    """Whichever side is padded, "FF" and "0100" are in another order."""
    incoming = request.getfixturevalue(bucket)
    for first, second in (("FF", "0100"), ("0100", "FF")):
        key = f"{first}.flac"
        older, newer = (
            put(s3, incoming, key, body, sequencer)
            for body, sequencer in ((SPEECH, first), (SPEECH + b"\0", second))
        )
        assert scorer.process(newer).state == "scored"
        assert scorer.process(older).state == "superseded"
        assert results_in(s3, results)[f"{key}.json"]["source"]["etag"] == newer.etag


def test_a_folder_has_no_result(s3, scorer, incoming, results):
    folder = put(s3, incoming, "calls/", b"", "0A")
    assert scorer.process(folder).state == "ignored"
    assert scorer.process(ObjectRef(incoming, "calls/")).state == "ignored"
    assert stored(s3, results) == {}
