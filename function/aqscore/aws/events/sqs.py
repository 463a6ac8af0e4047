"""SQS: messages that contain events of other sources, with a partial batch response.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import json
from dataclasses import dataclass
from typing import Any

from aqscore.aws import metrics
from aqscore.aws.events.direct import Direct
from aqscore.aws.events.eventbridge import EventBridge
from aqscore.aws.events.s3 import S3
from aqscore.aws.events.shape import shape_of
from aqscore.aws.events.sns import unwrapped
from aqscore.aws.invocation import Attempt, Invocation
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.errors import BadRequest, UnreadableEvent

CONTAINED = (S3, EventBridge, Direct)


class Sqs:
    """``{"Records": [{"eventSource": "aws:sqs", "body": ...}]}``."""

    @staticmethod
    def infer(event: Any) -> bool:
        records = event.get("Records") if isinstance(event, dict) else None
        return (
            bool(records)
            and isinstance(records, list)
            and isinstance(records[0], dict)
            and records[0].get("eventSource") == "aws:sqs"
        )

    @staticmethod
    def handle(event: Any, context: Any, scorer: ObjectScorer) -> dict[str, Any]:
        """Scores the objects of each message. Returns the messages that SQS must deliver again.

        They include messages that can't be read. After its last delivery such a message is kept in the
        dead-letter queue, where a person can read it.
        """
        messages, failed = [], []
        for record in event["Records"]:
            try:
                messages.append(_Message.of(record))
            except UnreadableEvent as error:
                metrics.record_error("Message refused", error, {"message_id": record["messageId"]})
                failed.append(record["messageId"])
        invocation = Invocation(context)
        # Messages with many objects come last, so that they take no time from the others.
        for message in sorted(messages, key=lambda each: len(each.refs)):
            if not _are_done(message, scorer, invocation):
                failed.append(message.id)
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


@dataclass(frozen=True)
class _Message:
    """The objects that a message names, and how they are to be scored."""

    id: str
    refs: list[ObjectRef]
    rescore: bool
    delivery: int | None  # counts from 1

    @classmethod
    def of(cls, record: dict[str, Any]) -> "_Message":
        """Reads a record of the event.

        Raises UnreadableEvent when its body is not JSON or not an event of a known source.
        """
        try:
            count = record.get("attributes", {}).get("ApproximateReceiveCount")
            event = unwrapped(json.loads(record["body"]))
            source = next((source for source in CONTAINED if source.infer(event)), None)
            if source is not None:
                rescore = source is Direct and event.get("rescore") is True
                return cls(record["messageId"], source.objects(event), rescore, count and int(count))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UnreadableEvent(f"The message can't be read: {type(error).__name__}.") from error
        raise UnreadableEvent(f"The message contains no event of a known kind: it is {shape_of(event)}.")


def _are_done(message: _Message, scorer: ObjectScorer, invocation: Invocation) -> bool:
    """Scores all objects of a message, even after one that failed. Returns whether all are done."""
    done = True
    for ref in message.refs:
        attempt = invocation.attempt(rescore=message.rescore, delivery=message.delivery)
        done = _is_done(ref, scorer, attempt) and done
    return done


def _is_done(ref: ObjectRef, scorer: ObjectScorer, attempt: Attempt) -> bool:
    """Scores an object. Returns whether it needs no other delivery; the scorer has logged any error."""
    try:
        scorer.process(ref, attempt)
    except BadRequest:
        return True
    except Exception:  # an unexpected error must not fail the rest of the batch
        return False
    return True
