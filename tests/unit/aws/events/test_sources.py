"""Each source's documented events are recognised, read, and answered in the form of that source."""

import json
from dataclasses import replace

import pytest

from aqscore.aws.events import source_of
from aqscore.aws.events.direct import Direct
from aqscore.aws.events.eventbridge import EventBridge
from aqscore.aws.events.http import Http
from aqscore.aws.events.s3 import S3
from aqscore.aws.events.s3_batch import S3Batch
from aqscore.aws.events.sqs import Sqs
from aqscore.aws.invocation import Attempt
from aqscore.aws.object_ref import ObjectRef
from aqscore.errors import UnreadableEvent
from tests.unit.aws.events.samples import (
    BATCH,
    HTTP,
    KEY,
    REF,
    TEST_EVENT,
    Context,
    StubScorer,
    eventbridge_event,
    restored,
    s3_event,
    sns_envelope,
    sqs_event,
)


@pytest.mark.parametrize(
    ("event", "source"),
    [
        (s3_event(), S3),
        (TEST_EVENT, S3),
        (sqs_event(s3_event()), Sqs),
        (eventbridge_event(), EventBridge),
        ({"bucket": "b", "key": "k"}, Direct),
        *((event, Http) for event in HTTP),
        *((event, S3Batch) for event in BATCH),
    ],
)
def test_each_event_has_its_source(event, source):
    assert source_of(event) is source


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "text",
        7,
        {},
        {"Records": []},
        {"Records": [1]},
        {"Records": "x"},
        {"bucket": "b"},
        {"bucket": 1, "key": 2},
        {"invocationSchemaVersion": "1.0", "tasks": None},
    ],
)
def test_an_event_of_no_known_source_is_an_error(event):
    with pytest.raises(UnreadableEvent, match="of no known kind"):
        source_of(event)


def test_s3_keys_are_decoded_and_other_events_ignored():
    scorer = StubScorer()
    answer = S3.handle(s3_event("ObjectCreated:Put", "ObjectRemoved:Delete"), Context(), scorer)
    assert scorer.refs == [REF]
    assert answer["results"] == [
        {"bucket": "incoming", "key": KEY, "state": "refused", "result_key": f"{KEY}.error.json"}
    ]


def test_eventbridge_keys_are_not_decoded():
    scorer = StubScorer()
    EventBridge.handle(eventbridge_event(), Context(), scorer)
    EventBridge.handle(eventbridge_event("Object Deleted"), Context(), scorer)
    assert scorer.refs == [REF]


@pytest.mark.parametrize(("source", "event"), [(S3, s3_event()), (EventBridge, eventbridge_event())])
def test_an_object_that_is_restored_from_an_archive_is_scored(source, event):
    scorer = StubScorer()
    source.handle(restored(event), Context(), scorer)
    assert scorer.refs == [replace(REF, sequencer=None, restored=True)]


@pytest.mark.parametrize("kind", ["ObjectRestore:Post", "ObjectRestore:Delete", "LifecycleTransition"])
def test_other_events_about_archives_are_ignored(kind):
    scorer = StubScorer()
    S3.handle(s3_event(kind), Context(), scorer)
    EventBridge.handle(eventbridge_event("Object Restore Initiated"), Context(), scorer)
    assert scorer.refs == []


def test_the_test_event_of_s3_does_nothing():
    scorer = StubScorer()
    assert S3.handle(TEST_EVENT, Context(), scorer) == {"results": []}
    for event in (TEST_EVENT, sns_envelope(TEST_EVENT)):
        assert Sqs.handle(sqs_event(event), Context(), scorer) == {"batchItemFailures": []}
    assert scorer.refs == []


def test_a_direct_invocation_rescores_and_returns_the_result():
    scorer = StubScorer()
    answer = Direct.handle({"bucket": "b", "key": "k", "version_id": "v"}, Context(), scorer)
    assert scorer.refs == [ObjectRef("b", "k", version_id="v")]
    assert scorer.attempts == [Attempt(rescore=True, time_left_s=300, has_full_time=True)]
    assert answer["error"]["type"] == "empty_file"
    json.dumps(answer)


@pytest.mark.parametrize(
    ("source", "event", "files"),
    [
        (Sqs, sqs_event(*[s3_event()] * 3), 3),
        (S3, s3_event(*["ObjectCreated:Put"] * 3), 3),
        (S3Batch, BATCH[0] | {"tasks": BATCH[0]["tasks"][:1] * 3}, 3),
        (EventBridge, eventbridge_event(), 1),
        (Direct, {"bucket": "b", "key": "k"}, 1),
    ],
)
def test_each_attempt_has_the_remaining_time_and_the_first_has_the_full_time(source, event, files):
    context = Context(left_s=300)
    scorer = StubScorer(context, spends_s=100)
    source.handle(event, context, scorer)
    assert [attempt.time_left_s for attempt in scorer.attempts] == [300, 200, 100][:files]
    assert [attempt.has_full_time for attempt in scorer.attempts] == [True, False, False][:files]


@pytest.mark.parametrize("event", HTTP, ids=["REST API", "HTTP API", "function URL"])
def test_every_kind_of_http_event_reaches_the_application(event):
    answer = Http.handle(event, None, StubScorer())
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"status": "ok"}


@pytest.mark.parametrize("event", HTTP, ids=["REST API", "HTTP API", "function URL"])
def test_errors_are_returned_as_text(event):
    """Mangum encodes bodies of unknown media types as base64."""
    event = json.loads(json.dumps(event).replace("/v1/health", "/v2/nothing"))
    answer = Http.handle(event, None, StubScorer())
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (404, False)
    assert json.loads(answer["body"])["type"] == "urn:aqscore:error:http_error"
