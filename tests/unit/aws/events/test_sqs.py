"""Messages of SQS: partial batch responses, order, and bodies that can't be read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqscore.aws.events import source_of
from aqscore.aws.events.sqs import Sqs
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.aws.s3 import S3Client
from aqscore.aws.settings import Settings
from aqscore.errors import UnreadableEvent
from tests.unit.aws.events.samples import (
    REF,
    Context,
    StubScorer,
    eventbridge_event,
    s3_event,
    sns_envelope,
    sqs_event,
)
from tests.unit.aws.memory_s3 import MemoryS3


def test_the_response_names_only_messages_that_failed():
    scorer = StubScorer()
    bodies = [
        s3_event(),
        {"bucket": "b", "key": "unavailable"},
        {"bucket": "b", "key": "bug"},
        {"bucket": "b", "key": "result"},
        eventbridge_event(),
    ]
    assert Sqs.handle(sqs_event(*bodies), Context(), scorer) == {
        "batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]
    }
    assert len(scorer.refs) == 5


def test_a_message_may_ask_to_rescore():
    scorer = StubScorer()
    bodies = [{"bucket": "b", "key": "good.wav", "rescore": rescore} for rescore in (True, False, "yes")]
    Sqs.handle(sqs_event(*bodies), Context(), scorer)
    assert [attempt.rescore for attempt in scorer.attempts] == [True, False, False]


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        "{}",
        "7",
        "[" * 100_000,
        {"Records": [{"eventSource": "aws:s3"}]},
        {"source": "aws.s3", "detail": 1},
        {"Type": "Notification", "TopicArn": "arn:aws:sns:::a"},
        {"Type": "Notification", "TopicArn": "arn:aws:sns:::a", "Message": "Hello"},
        {"Type": "SubscriptionConfirmation", "TopicArn": "arn:aws:sns:::a", "Message": "{}"},
    ],
)
def test_a_message_that_cannot_be_read_goes_back_to_the_queue(body):
    assert Sqs.handle(sqs_event(body), Context(), StubScorer()) == {
        "batchItemFailures": [{"itemIdentifier": "m0"}]
    }


def test_the_text_of_an_unreadable_message_is_not_logged(caplog):
    url = "https://bucket/key?X-Amz-Signature=0123"
    Sqs.handle(sqs_event(url, {"url": url}), Context(), StubScorer())
    with pytest.raises(UnreadableEvent) as caught:
        source_of({"url": url})
    assert len(caplog.records) == 2
    for record in caplog.records:
        assert "X-Amz" not in str(vars(record))
    assert "X-Amz" not in str(caught.value)


def test_deliveries_are_counted():
    scorer = StubScorer()
    event = sqs_event(s3_event(), s3_event(), s3_event())
    for record, count in zip(event["Records"], ("1", "2", None), strict=True):
        record["attributes"] = {"ApproximateReceiveCount": count} if count else {}
    Sqs.handle(event, Context(), scorer)
    assert [attempt.delivery for attempt in scorer.attempts] == [1, 2, None]


@pytest.mark.parametrize("event", [s3_event(), eventbridge_event()], ids=["S3", "EventBridge"])
def test_an_event_in_an_envelope_of_sns_is_scored(event):
    """A topic forwards the bare event with raw message delivery, and an envelope without it."""
    scorer = StubScorer()
    Sqs.handle(sqs_event(event, sns_envelope(event)), Context(), scorer)
    assert scorer.refs == [REF, REF]


def test_a_message_with_a_thousand_objects_comes_last():
    scorer = StubScorer()
    thousand = json.loads(json.dumps(s3_event(*["ObjectCreated:Put"] * 1000)).replace("incoming", "many"))
    Sqs.handle(sqs_event(thousand, s3_event(), s3_event()), Context(), scorer)
    assert [ref.bucket for ref in scorer.refs] == ["incoming", "incoming", *["many"] * 1000]


def test_one_failed_object_of_a_message_does_not_stop_the_others():
    scorer = StubScorer()
    message = s3_event(*["ObjectCreated:Put"] * 3)
    message["Records"][0]["s3"] = {"bucket": {"name": "b"}, "object": {"key": "unavailable"}}
    assert Sqs.handle(sqs_event(message), Context(), scorer) == {
        "batchItemFailures": [{"itemIdentifier": "m0"}]
    }
    assert len(scorer.refs) == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)
MEMBERS = ["Records", "eventSource", "eventName", "s3", "object", "bucket", "name", "key", "detail", "source"]


@st.composite
def malformed(draw) -> object:
    """A valid event of any kind with one member replaced or left out."""
    text = json.dumps(draw(st.sampled_from([s3_event(), eventbridge_event(), {"bucket": "b", "key": "k"}])))
    member, value = draw(st.sampled_from(MEMBERS)), draw(JSON)
    drop = draw(st.booleans())

    def replace(pairs: list[tuple[str, object]]) -> dict:
        return {
            name: value if name == member else each for name, each in pairs if not (drop and name == member)
        }

    return json.loads(text, object_pairs_hook=replace)


@given(bodies=st.lists(JSON | malformed() | st.text(), max_size=4))
def test_no_message_stops_the_others(bodies):
    scorer = ObjectScorer(Settings(results_bucket="results"), S3Client(MemoryS3(lambda: None)))
    event = sqs_event(*bodies, {"bucket": "results", "key": "a.json"}, s3_event())
    answer = Sqs.handle(event, Context(), scorer)
    failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
    assert failed <= {f"m{number}" for number in range(len(bodies))}
