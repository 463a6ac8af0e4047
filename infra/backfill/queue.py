"""A backfill through the stack's own queue, at a set rate: for LocalStack, and for a few thousand objects."""

import itertools
import json
import time
from collections.abc import Iterable, Iterator

from botocore.client import BaseClient

from infra.waiting import Backlog

BATCH = 10  # messages that one request may carry
POLL_S = 0.5


def send(
    sqs: BaseClient, queue_url: str, bucket: str, keys: Iterable[str], rate: float, *, again: bool
) -> Iterator[int]:
    """Sends a message an object, ``rate`` a second; yields how many were sent after each request.

    Raises RuntimeError when SQS refuses one: those before it are on their way, and a second run sends all
    again, which costs a request for each result that is there.
    """
    extra = {"again": True} if again else {}
    started, sent = time.monotonic(), 0
    for batch in itertools.batched(keys, BATCH, strict=False):
        answer = sqs.send_message_batch(
            QueueUrl=queue_url,
            Entries=[
                {"Id": str(i), "MessageBody": json.dumps({"bucket": bucket, "key": key, **extra})}
                for i, key in enumerate(batch)
            ],
        )
        if refused := answer.get("Failed"):
            raise RuntimeError(f"SQS refused {len(refused)} messages: {refused[0]['Message']}")
        sent += len(batch)
        yield sent
        time.sleep(max(0.0, started + sent / rate - time.monotonic()))


def waiting(sqs: BaseClient, queue_url: str) -> Iterator[int]:
    """How many messages are not dealt with yet, again and again until none is."""
    backlog = Backlog(sqs, queue_url)
    while not backlog.is_cleared():
        yield backlog.latest
        time.sleep(POLL_S)
    yield 0
