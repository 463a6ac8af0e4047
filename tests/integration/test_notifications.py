"""announcements.py with a real bus, topic and queue: each result is told of, and none is lost by telling."""

import json

import boto3
import pytest
from botocore.config import Config

from aqscore.aws.notifications import Announcement, EventBridge, Sns
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.aws.settings import Settings
from aqscore.errors import AnnouncementFailed
from infra.waiting import wait_until
from tests.conftest import EXAMPLES
from tests.integration.test_s3 import announced, stored

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
def by_eventbridge(client_of, arn, results, storage) -> ObjectScorer:
    """A rule of the default bus sends what aqscore tells of this test's results to the queue."""
    events = client_of("events")
    pattern = {"source": ["aqscore"], "detail": {"result": {"bucket": [results]}}}
    events.put_rule(Name=results, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=results, Targets=[{"Id": "queue", "Arn": arn}])
    return ObjectScorer(Settings(results_bucket=results), storage, EventBridge(events, "default"))


@pytest.fixture
def by_sns(client_of, arn, results, storage) -> ObjectScorer:
    """A topic with the queue as subscriber of scored recordings alone."""
    sns = client_of("sns")
    topic = sns.create_topic(Name=results)["TopicArn"]
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"state": ["scored"]})},
    )
    return ObjectScorer(Settings(results_bucket=results), storage, Sns(sns, topic))


def test_eventbridge_tells_of_reports_and_error_records(s3, by_eventbridge, received, incoming, results):
    good = announced(s3, incoming, "a b+录音.flac", SPEECH, "0A")
    by_eventbridge.process(good)
    by_eventbridge.process(announced(s3, incoming, "notes.wav", b"no audio", "0A"))
    events = {event["detail-type"]: event for event in received(2)}
    assert events.keys() == {"Recording Scored", "Recording Refused"}
    scored = Announcement.model_validate(events["Recording Scored"]["detail"])
    report = json.loads(stored(s3, results)["a b+录音.flac.json"])
    assert scored.result.model_dump() == {"bucket": results, "key": "a b+录音.flac.json"}
    assert scored.source.model_dump() == report["source"]
    assert (scored.score, scored.verdict) == (report["score"], report["verdict"])
    refused = Announcement.model_validate(events["Recording Refused"]["detail"])
    assert (refused.score, refused.error.type) == (None, "unsupported_format")


def test_a_topic_tells_those_who_asked_for_it(s3, by_sns, received, incoming):
    by_sns.process(announced(s3, incoming, "notes.wav", b"no audio", "0A"))
    by_sns.process(announced(s3, incoming, "a.flac", SPEECH, "0A"))
    [message] = received(1)
    announcement = Announcement.model_validate(message)
    assert (announcement.state, announcement.source.key) == ("scored", "a.flac")


def test_a_failed_announcement_loses_no_result_and_is_made_up_for(
    s3, by_eventbridge, received, incoming, results, storage
):
    """The first try stores the result and reaches nobody; the second tells of it and scores nothing."""
    away = boto3.client(
        "events",
        endpoint_url="http://127.0.0.1:9",  # nobody listens there
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )
    cut_off = ObjectScorer(Settings(results_bucket=results), storage, EventBridge(away, "default"))
    ref = announced(s3, incoming, "a.flac", SPEECH, "0A")
    with pytest.raises(AnnouncementFailed, match="EventBridge did not take the event"):
        cut_off.process(ref)
    before = s3.list_object_versions(Bucket=results)["Versions"]
    assert by_eventbridge.process(ref).state == "duplicate"
    [event] = received(1)
    assert event["detail"]["result"]["key"] == "a.flac.json"
    assert event["detail"]["score"] == json.loads(stored(s3, results)["a.flac.json"])["score"]
    assert s3.list_object_versions(Bucket=results)["Versions"] == before


def test_an_old_versions_event_tells_of_nothing(s3, by_sns, received, incoming):
    old = announced(s3, incoming, "a.flac", SPEECH, "0A")
    new = announced(s3, incoming, "a.flac", SPEECH + b"\0", "0B")
    by_sns.process(new)
    assert by_sns.process(old).state == "superseded"
    by_sns.process(announced(s3, incoming, "last.flac", SPEECH, "0A"))
    assert sorted(each["source"]["key"] for each in received(2)) == ["a.flac", "last.flac"]


def test_an_unknown_topic_is_said_so(client_of, results, storage, s3, incoming):
    gone = Sns(client_of("sns"), "arn:aws:sns:us-east-1:000000000000:gone")
    folder = ObjectScorer(Settings(results_bucket=results), storage, gone)
    with pytest.raises(AnnouncementFailed, match="SNS did not take the message: .*NotFound"):
        folder.process(announced(s3, incoming, "notes.wav", b"no audio", "0A"))
    assert stored(s3, results).keys() == {"notes.wav.error.json"}
