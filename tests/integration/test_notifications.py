"""Notifications with a real bus, topic and queue: each result has one, and a failed one loses no result."""

import json

import boto3
import pytest
from botocore.config import Config

from aqscore.aws.notifications import EventBridgeNotifier, Notification, SnsNotifier
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.aws.settings import Settings
from aqscore.errors import AnnouncementFailed
from infra.waiting import wait_until
from tests.conftest import EXAMPLES
from tests.integration.buckets import put, stored

SPEECH = (EXAMPLES / "clean.flac").read_bytes()
LIMIT_S = 20


@pytest.fixture
def queue(client_of, request) -> str:
    """The address of a queue of the test's own."""
    return client_of("sqs").create_queue(QueueName=request.node.name[:70].replace("[", "-").replace("]", ""))[
        "QueueUrl"
    ]


@pytest.fixture
def received(client_of, queue):
    """Waits for so many messages, returns their bodies in any order, and takes them out of the queue."""
    sqs = client_of("sqs")

    def received(count: int) -> list[dict]:
        bodies: list[dict] = []

        def all_there() -> bool:
            answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=600)
            bodies.extend(json.loads(each["Body"]) for each in answer.get("Messages", ()))
            return len(bodies) >= count

        wait_until(all_there, f"{count} messages", LIMIT_S)
        return bodies

    return received


@pytest.fixture
def arn(client_of, queue) -> str:
    answer = client_of("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    return answer["Attributes"]["QueueArn"]


@pytest.fixture
def by_eventbridge(client_of, arn, results, s3_client) -> ObjectScorer:
    """A rule of the default bus sends the notifications of this test's results to the queue."""
    events = client_of("events")
    pattern = {"source": ["aqscore"], "detail": {"result": {"bucket": [results]}}}
    events.put_rule(Name=results, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=results, Targets=[{"Id": "queue", "Arn": arn}])
    return ObjectScorer(Settings(results_bucket=results), s3_client, EventBridgeNotifier(events, "default"))


@pytest.fixture
def by_sns(client_of, arn, results, s3_client) -> ObjectScorer:
    """A topic to which the queue subscribes, for scored recordings only."""
    sns = client_of("sns")
    topic = sns.create_topic(Name=results)["TopicArn"]
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"state": ["scored"]})},
    )
    return ObjectScorer(Settings(results_bucket=results), s3_client, SnsNotifier(sns, topic))


def test_eventbridge_gets_reports_and_error_records(s3, by_eventbridge, received, incoming, results):
    good = put(s3, incoming, "a b+录音.flac", SPEECH, "0A")
    by_eventbridge.process(good)
    by_eventbridge.process(put(s3, incoming, "notes.wav", b"no audio", "0A"))
    events = {event["detail-type"]: event for event in received(2)}
    assert events.keys() == {"Recording Scored", "Recording Refused"}
    scored = Notification.model_validate(events["Recording Scored"]["detail"])
    report = json.loads(stored(s3, results)["a b+录音.flac.json"])
    assert scored.result.model_dump() == {"bucket": results, "key": "a b+录音.flac.json"}
    assert scored.source.model_dump() == report["source"]
    assert (scored.score, scored.verdict, scored.mos) == (report["score"], report["verdict"], report["mos"])
    assert scored.causes == [cause["kind"] for cause in report["causes"]]
    refused = Notification.model_validate(events["Recording Refused"]["detail"])
    assert (refused.score, refused.error.type) == (None, "unsupported_format")


def test_a_topic_filters_by_state(s3, by_sns, received, incoming):
    by_sns.process(put(s3, incoming, "notes.wav", b"no audio", "0A"))
    by_sns.process(put(s3, incoming, "a.flac", SPEECH, "0A"))
    [message] = received(1)
    notification = Notification.model_validate(message)
    assert (notification.state, notification.source.key) == ("scored", "a.flac")


def test_a_failed_notification_loses_no_result_and_is_sent_by_the_next_attempt(
    s3, by_eventbridge, received, incoming, results, s3_client
):
    """The first attempt stores the result; the second sends the notification and scores nothing."""
    unreachable = boto3.client(
        "events",
        endpoint_url="http://127.0.0.1:9",  # no server listens there
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )
    disconnected = ObjectScorer(
        Settings(results_bucket=results), s3_client, EventBridgeNotifier(unreachable, "default")
    )
    ref = put(s3, incoming, "a.flac", SPEECH, "0A")
    with pytest.raises(AnnouncementFailed, match="EventBridge did not accept the event"):
        disconnected.process(ref)
    before = s3.list_object_versions(Bucket=results)["Versions"]
    assert by_eventbridge.process(ref).state == "duplicate"
    [event] = received(1)
    assert event["detail"]["result"]["key"] == "a.flac.json"
    assert event["detail"]["score"] == json.loads(stored(s3, results)["a.flac.json"])["score"]
    assert s3.list_object_versions(Bucket=results)["Versions"] == before


def test_a_superseded_version_has_no_notification(s3, by_sns, received, incoming):
    old = put(s3, incoming, "a.flac", SPEECH, "0A")
    new = put(s3, incoming, "a.flac", SPEECH + b"\0", "0B")
    by_sns.process(new)
    assert by_sns.process(old).state == "superseded"
    by_sns.process(put(s3, incoming, "last.flac", SPEECH, "0A"))
    assert sorted(each["source"]["key"] for each in received(2)) == ["a.flac", "last.flac"]


def test_an_unknown_topic_is_named_in_the_error(client_of, results, s3_client, s3, incoming):
    gone = SnsNotifier(client_of("sns"), "arn:aws:sns:us-east-1:000000000000:gone")
    scorer = ObjectScorer(Settings(results_bucket=results), s3_client, gone)
    with pytest.raises(AnnouncementFailed, match="SNS did not accept the message: .*NotFound"):
        scorer.process(put(s3, incoming, "notes.wav", b"no audio", "0A"))
    assert stored(s3, results).keys() == {"notes.wav.error.json"}
