"""Messages of the queue that name no recording, or a missing one."""

from collections.abc import Callable

import numpy as np

from infra.localstack.stack import Stack
from infra.waiting import wait_until
from tests.conftest import wav_bytes
from tests.e2e.events import s3_event, sample

DEAD_LETTER_LIMIT_S = 30


def dead_letter(stack: Stack) -> dict | None:
    """Receives and deletes one message of the dead-letter queue."""
    answer = stack.sqs.receive_message(
        QueueUrl=stack.dead_letter_queue_url, MessageSystemAttributeNames=["ApproximateReceiveCount"]
    )
    for message in answer.get("Messages", []):
        stack.sqs.delete_message(QueueUrl=stack.dead_letter_queue_url, ReceiptHandle=message["ReceiptHandle"])
        return message
    return None


def test_an_unreadable_message_is_kept_and_its_batch_is_scored(
    stack: Stack, speech: np.ndarray, send: Callable, quick_retries: None
) -> None:
    key = "queue/beside-an-unreadable-message.wav"
    report = stack.wait_for_result(key, stack.upload(key, wav_bytes(speech[:16_000])))
    stack.s3.delete_object(Bucket=stack.results_bucket, Key=f"{key}.json")

    send("Hello, is this the queue?", s3_event(report["source"]))

    wait_until(lambda: stack.read_result(f"{key}.json"), "the recording's result", DEAD_LETTER_LIMIT_S)
    kept = wait_until(lambda: dead_letter(stack), "the message in the dead-letter queue", DEAD_LETTER_LIMIT_S)
    assert kept["Body"] == "Hello, is this the queue?"
    assert int(kept["Attributes"]["ApproximateReceiveCount"]) > 2
    assert dead_letter(stack) is None


def test_a_missing_object_gets_an_error_record_without_a_retry(stack: Stack, send: Callable) -> None:
    event = sample("s3")
    event["Records"][0]["s3"]["bucket"]["name"] = stack.incoming_bucket
    event["Records"][0]["s3"]["object"]["key"] = "queue/gone.wav"
    send(event)
    document = stack.read_result("queue/gone.wav.error.json")
    assert document["error"]["type"] == "object_not_found"


def test_an_object_deleted_before_scoring_gets_an_error_record(
    stack: Stack, speech: np.ndarray, send: Callable
) -> None:
    key = "queue/deleted.wav"
    version = stack.upload(key, wav_bytes(speech[:16_000]))
    report = stack.wait_for_result(key, version)
    stack.s3.delete_object(Bucket=stack.incoming_bucket, Key=key, VersionId=version)
    stack.s3.delete_object(Bucket=stack.results_bucket, Key=f"{key}.json")
    send(s3_event(report["source"]))
    assert stack.result(key, version)["error"]["type"] == "object_not_found"


def test_the_test_event_of_s3_is_ignored(stack: Stack, send: Callable) -> None:
    send(sample("s3_test_event"))
