"""Backfill through the stack's queue at a set rate: for LocalStack, and for a few thousand objects."""

import itertools
import json
import time
from collections.abc import Iterable, Iterator

from botocore.client import BaseClient

from infra.waiting import Backlog

BATCH_SIZE = 10  # messages in one request, SQS's maximum
POLL_S = 0.5


def send(
    sqs: BaseClient, queue_url: str, bucket: str, keys: Iterable[str], rate: float, *, rescore: bool
) -> Iterator[int]:
    """Sends one message for each object, ``rate`` a second; yields the number sent after each request.

    Raises RuntimeError when SQS rejects a message. Earlier messages have been sent by then; a second run
    sends all of them again, and objects that have their result are not scored a second time.
    """
    extra = {"rescore": True} if rescore else {}
    started, sent = time.monotonic(), 0
    for batch in itertools.batched(keys, BATCH_SIZE):
        answer = sqs.send_message_batch(
            QueueUrl=queue_url,
            Entries=[
                {"Id": str(i), "MessageBody": json.dumps({"bucket": bucket, "key": key, **extra})}
                for i, key in enumerate(batch)
            ],
        )
        if rejected := answer.get("Failed"):
            raise RuntimeError(f"SQS rejected {len(rejected)} messages: {rejected[0]['Message']}")
        sent += len(batch)
        yield sent
        time.sleep(max(0.0, started + sent / rate - time.monotonic()))


def waiting(sqs: BaseClient, queue_url: str) -> Iterator[int]:
    """Yields the number of messages that are not processed yet, until there are none."""
    backlog = Backlog(sqs, queue_url)
    while not backlog.is_cleared():
        yield backlog.latest
        time.sleep(POLL_S)
    yield 0
