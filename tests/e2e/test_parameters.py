"""A stack with every optional part, for an existing bucket."""

import json
import shlex
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from aqscore.aws.notifications import Notification
from aqscore.config import ScorerConfig
from infra.localstack.server import localstack
from infra.localstack.stack import Stack, client, deploy
from infra.waiting import wait_until
from tests.conftest import wav_bytes
from tests.e2e.events import s3_event

BUCKET = "calls-of-ours"
LIMIT_S = 30


@pytest.fixture(scope="module")
def stack(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with localstack(tmp_path_factory.mktemp("parameters-logs")) as address:
        s3 = client(address, "s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        topic = client(address, "sns").create_topic(Name="uploads")["TopicArn"]
        stack = deploy(
            address,
            runtime=ScorerConfig.from_env().runtime,
            ExistingBucket=BUCKET,
            EventTopicArn=topic,
            Notification="sns",
            Backfill="true",
            AlarmEmail="someone@example.org",
            Tracing="Active",
            ApiAccessLogs="set-account-role",
            ExpectedScoreLow="2",
            ExpectedScoreHigh="4",
        )
        stack.start_function()
        yield stack


@pytest.mark.parametrize("key", ["calls/first.wav", "客服/50% + a b.wav"])
def test_an_existing_bucket_without_versions_is_scored(stack: Stack, speech: np.ndarray, key: str) -> None:
    assert stack.incoming_bucket == BUCKET
    answer = stack.s3.put_object(Bucket=BUCKET, Key=key, Body=wav_bytes(speech[:16_000]))
    report = stack.wait_for_result(key, None)
    assert report["source"]["key"] == key
    assert report["source"]["etag"] == answer["ETag"].strip('"')


def test_events_that_a_topic_forwards_are_scored(stack: Stack, speech: np.ndarray) -> None:
    sns, key = client(stack.address, "sns"), "by-topic.wav"
    stack.s3.put_object(Bucket=BUCKET, Key=key, Body=wav_bytes(speech[:16_000]))
    report = stack.wait_for_result(key, None)  # by EventBridge
    stack.s3.delete_object(Bucket=stack.results_bucket, Key=f"{key}.json")
    [topic] = (
        each["TopicArn"] for each in sns.list_topics()["Topics"] if each["TopicArn"].endswith(":uploads")
    )
    sns.publish(TopicArn=topic, Message=json.dumps(s3_event(report["source"])))
    assert stack.wait_for_result(key, None)["score"] == report["score"]


def test_results_are_published_to_the_topic_of_the_stack(stack: Stack, speech: np.ndarray) -> None:
    queue = stack.sqs.create_queue(QueueName="listener")["QueueUrl"]
    listen(stack, queue)
    stack.s3.put_object(Bucket=BUCKET, Key="notified.wav", Body=wav_bytes(speech[:16_000]))

    notification = wait_until(
        lambda: notification_of(stack, queue, "notified.wav"), "the notification", LIMIT_S
    )
    assert notification.score == stack.read_result(notification.result.key)["score"]


def test_a_failed_notification_is_redriven_from_the_dead_letter_queue(
    stack: Stack, speech: np.ndarray, quick_retries: None
) -> None:
    """The result is stored without the topic. With the topic back, the output Redrive suffices."""
    sns, topic = client(stack.address, "sns"), stack.outputs["ResultsTopicArn"]
    sns.delete_topic(TopicArn=topic)
    stack.s3.put_object(Bucket=BUCKET, Key="not-notified.wav", Body=wav_bytes(speech[:16_000]))
    wait_until(lambda: waiting(stack, stack.dead_letter_queue_url), "the dead letter", LIMIT_S)
    scored = stack.s3.head_object(Bucket=stack.results_bucket, Key="not-notified.wav.json")

    assert sns.create_topic(Name=topic.rpartition(":")[2])["TopicArn"] == topic
    queue = stack.sqs.create_queue(QueueName="late-listener")["QueueUrl"]
    listen(stack, queue)
    *command, arn = shlex.split(stack.outputs["Redrive"])
    assert command == ["aws", "sqs", "start-message-move-task", "--source-arn"]
    stack.sqs.start_message_move_task(SourceArn=arn)

    wait_until(lambda: notification_of(stack, queue, "not-notified.wav"), "the notification", LIMIT_S)
    redriven = stack.s3.head_object(Bucket=stack.results_bucket, Key="not-notified.wav.json")
    assert redriven["VersionId"] == scored["VersionId"]
    assert not waiting(stack, stack.dead_letter_queue_url)


def waiting(stack: Stack, queue_url: str) -> int:
    names = ["ApproximateNumberOfMessages"]
    answer = stack.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
    return int(answer["Attributes"][names[0]])


def listen(stack: Stack, queue_url: str) -> None:
    """Subscribes a queue to the stack's topic."""
    answer = stack.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    client(stack.address, "sns").subscribe(
        TopicArn=stack.outputs["ResultsTopicArn"],
        Protocol="sqs",
        Endpoint=answer["Attributes"]["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )


def notification_of(stack: Stack, queue_url: str, key: str) -> Notification | None:
    """The notification about that recording, or None."""
    messages = stack.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", ())
    found = [Notification.model_validate(json.loads(each["Body"])) for each in messages]
    return next((each for each in found if each.source.key == key), None)


def test_a_backfill_uploads_its_manifest(stack: Stack, backfill: Callable) -> None:
    """LocalStack has no S3 Control, which would create the job."""
    stack.s3.put_object(Bucket=BUCKET, Key="old/a b+,c.wav", Body=b"no audio")
    done = backfill("--prefix", "old/", "--yes")
    assert done.returncode == 2
    assert "/v20180820/jobs" in done.stdout
    bucket = stack.outputs["BackfillBucketName"]
    [manifest] = stack.s3.list_objects_v2(Bucket=bucket, Prefix="manifests/")["Contents"]
    listed = stack.s3.get_object(Bucket=bucket, Key=manifest["Key"])["Body"].read().decode()
    assert listed == f"{BUCKET},old/a%20b%2B%2Cc.wav\n"


def test_the_optional_parts_have_their_outputs(stack: Stack) -> None:
    assert {"ResultsTopicArn", "BackfillRoleArn", "BackfillBucketName"} <= stack.outputs.keys()
