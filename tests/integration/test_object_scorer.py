"""drop_folder.py with a real S3: one object in, exactly one truthful result out."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from aqscore.aws import object_scorer as module
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.aws.settings import Settings
from aqscore.config import ScorerConfig
from aqscore.errors import BadRequest, OutOfTime, SetupError
from aqscore.limits import Limits
from infra.usage import S3_GETS, S3_PUTS
from tests.conftest import EXAMPLES, ROOT
from tests.integration.test_s3 import announced, stored
from tests.recordings import titled

SPEECH = (EXAMPLES / "clean.flac").read_bytes()


@pytest.fixture
def folder(storage, results) -> ObjectScorer:
    return ObjectScorer(Settings(results_bucket=results), storage)


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
    monkeypatch.setattr(module, "score_file", lambda *_, **__: pytest.fail("It was scored again."))
    assert [folder.process(ref).state for ref in (good, bad)] == ["duplicate", "duplicate"]
    assert results_in(s3, results) == before


@pytest.fixture
def requests_to(s3):
    """Counts the requests to S3 by operation; ``requests_to.clear()`` starts anew."""
    counts: Counter[str] = Counter()

    def count(model, **_) -> None:
        counts[model.name] += 1

    s3.meta.events.register("before-call.s3", count)
    yield counts
    s3.meta.events.unregister("before-call.s3", count)


def test_scoring_costs_the_requests_that_the_benchmark_counts(s3, folder, incoming, requests_to):
    ref = announced(s3, incoming, "a.flac", SPEECH, "0A")
    requests_to.clear()
    folder.process(ref, is_first_try=True)
    assert requests_to == {"GetObject": 1, "HeadObject": S3_GETS - 1, "PutObject": S3_PUTS}


def test_a_duplicate_costs_one_head(s3, folder, incoming, requests_to):
    ref = announced(s3, incoming, "a.flac", SPEECH, "0A")
    folder.process(ref)
    requests_to.clear()
    assert folder.process(ref, is_first_try=True).state == "duplicate"
    assert requests_to == {"HeadObject": 1}


def test_a_duplicate_of_a_refused_file_costs_two(s3, folder, incoming, requests_to):
    """The first HEAD looks for a report, which is what most files have."""
    ref = announced(s3, incoming, "a.flac", b"no audio", "0A")
    folder.process(ref)
    requests_to.clear()
    assert folder.process(ref, is_first_try=True).state == "duplicate"
    assert requests_to == {"HeadObject": 2}


@pytest.mark.parametrize("bodies", [(SPEECH, b"no audio"), (b"no audio", SPEECH)], ids=["report", "error"])
@pytest.mark.parametrize("retried", [0, 1], ids=["older", "newer"])
def test_a_result_left_beside_a_newer_one_goes_with_the_next_try(
    s3, folder, incoming, results, bodies, retried
):
    """Whoever wrote it died before looking for the other kind."""
    refs = [announced(s3, incoming, "a.flac", body, f"0{n}") for n, body in enumerate(bodies)]
    left = s3.get_object(Bucket=results, Key=folder.process(refs[0]).result_key)
    key, body = folder.process(refs[0]).result_key, left["Body"].read()
    right = folder.process(refs[1]).result_key
    s3.put_object(Bucket=results, Key=key, Body=body, Metadata=left["Metadata"])
    assert len(results_in(s3, results)) == 2
    folder.process(refs[retried])
    assert list(results_in(s3, results)) == [right]


def test_another_model_scores_nothing_again_unless_asked(s3, folder, storage, incoming, results, monkeypatch):
    ref = announced(s3, incoming, "a.flac", SPEECH, "0A")
    folder.process(ref)
    real = module.score

    def score_with_another_model(file, config, time_limit_s):
        scored = real(file, config, time_limit_s=time_limit_s)
        return scored.model_copy(update={"model": scored.model.model_copy(update={"version": "another"})})

    monkeypatch.setattr(module, "score_file", score_with_another_model)
    assert folder.process(ref).state == "duplicate"
    assert folder.process(ref, again=True).state == "scored"
    assert results_in(s3, results)["a.flac.json"]["model"]["version"] == "another"


def test_a_recording_called_like_an_error_record_does_not_take_its_place(s3, folder, incoming, results):
    keys = ("a", "a.error", "a.error~", "a.error.error")
    refs = [announced(s3, incoming, key, SPEECH if "e" in key else b"no audio", "0A") for key in keys]
    assert [folder.process(ref).state for ref in refs] == ["refused", "scored", "scored", "scored"]
    sources = {key: document["source"]["key"] for key, document in results_in(s3, results).items()}
    assert sources == {
        "a.error.json": "a",
        "a.error~.json": "a.error",
        "a.error~~.json": "a.error~",
        "a.error.error~.json": "a.error.error",
    }
    assert [folder.process(ref).state for ref in refs] == ["duplicate"] * 4


def test_the_longest_names_get_their_results_too(s3, folder, incoming, results):
    names = ["é" * 500 + end for end in ("1" * 24, "2" * 24)]
    refs = [
        announced(s3, incoming, name, body, "0A") for name, body in zip(names, (SPEECH, b""), strict=True)
    ]
    assert [folder.process(ref).state for ref in refs] == ["scored", "refused"]
    assert {document["source"]["key"] for document in results_in(s3, results).values()} == set(names)
    assert [folder.process(ref).state for ref in refs] == ["duplicate", "duplicate"]


def test_what_a_call_has_no_time_for_waits_for_another(s3, folder, incoming, results):
    ref = replace(announced(s3, incoming, "a.flac", SPEECH, "0A"), size_bytes=100_000_000)
    with pytest.raises(OutOfTime, match="are left of this call"):
        folder.process(ref, left_s=60)
    assert stored(s3, results) == {}
    assert folder.process(ref).state == "scored"
    assert folder.process(ref, left_s=60).state == "duplicate"


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
    ObjectScorer(settings, storage).process(announced(s3, incoming, "a.flac", SPEECH, "0A"))
    assert list(stored(s3, results)) == ["scores/a.flac.json"]


def test_without_a_results_bucket_it_does_not_start(storage):
    with pytest.raises(SetupError, match="AQSCORE_RESULTS_BUCKET is not set"):
        ObjectScorer(Settings(), storage)


def test_an_object_named_without_its_version_is_not_scored_twice(s3, folder, incoming, results, monkeypatch):
    """As S3 Batch Operations and people name it."""
    named = ObjectRef(incoming, "a.flac")
    announced(s3, incoming, "a.flac", SPEECH, "0A")
    assert folder.process(named).state == "scored"
    with monkeypatch.context() as patch:
        patch.setattr(module, "score_file", lambda *_, **__: pytest.fail("it was scored again"))
        assert folder.process(named).state == "duplicate"
    announced(s3, incoming, "a.flac", SPEECH + b"\0", "0B")
    assert folder.process(named).state == "scored"


def test_a_decoder_that_hangs_gets_what_is_left_of_the_call(
    s3, storage, incoming, results, monkeypatch, speech
):
    """Then the recording waits for a call of its own; there it is refused when the limit is reached."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "hostile")
    limits = Limits(max_memory_bytes=97_000_001, max_decode_s=0.5)  # of memory that no other test asks for
    ref = announced(s3, incoming, "a.wav", titled("hang", speech), "0A")
    patient = Settings(results_bucket=results, scorer=ScorerConfig(limits=replace(limits, max_decode_s=60)))
    with pytest.raises(OutOfTime, match="Decoding takes longer than"):
        ObjectScorer(patient, storage).process(ref, left_s=4)
    assert stored(s3, results) == {}
    folder = ObjectScorer(Settings(results_bucket=results, scorer=ScorerConfig(limits=limits)), storage)
    assert folder.process(ref).state == "refused"
    assert results_in(s3, results)["a.wav.error.json"]["error"]["type"] == "limit_exceeded"
