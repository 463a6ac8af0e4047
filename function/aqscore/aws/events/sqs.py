"""The queue: messages that hold events of the other sources, answered one by one.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import json
from typing import Any

from aqscore.aws import metrics as telemetry
from aqscore.aws.events.direct import Direct
from aqscore.aws.events.eventbridge import EventBridge
from aqscore.aws.events.s3 import S3
from aqscore.aws.events.shape import shape_of
from aqscore.aws.invocation import Call
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.errors import BadRequest, UnreadableEvent

INSIDE = (S3, EventBridge, Direct)


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
    def handle(event: Any, context: Any, folder: ObjectScorer) -> dict[str, Any]:
        """Partial batch response: names the messages that are to be delivered again.

        A message that can't be read is among them too: after its last try it rests in the dead-letter
        queue, where a person can see it, instead of being lost.
        """
        batch, failed = [], []
        for record in event["Records"]:
            try:
                refs, again = _objects(record["body"])
                batch.append((refs, again, record))
            except UnreadableEvent as error:
                telemetry.failed("Message refused", error, {"message_id": record["messageId"]})
                failed.append(record["messageId"])
        call = Call(context)
        # A message with a thousand objects comes last, and takes no time from the others.
        for refs, again, record in sorted(batch, key=lambda each: len(each[0])):
            is_first_try = record.get("attributes", {}).get("ApproximateReceiveCount") == "1"
            how = {"again": again, "is_first_try": is_first_try}
            if not all([_is_dealt_with(ref, folder, call, **how) for ref in refs]):
                failed.append(record["messageId"])
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _is_dealt_with(ref: ObjectRef, folder: ObjectScorer, call: Call, **how: bool) -> bool:
    """Whether the object needs no other delivery. What went wrong, the drop folder has reported."""
    try:
        folder.process(ref, **how, **call.time_left())
    except BadRequest:
        return True
    except Exception:
        # Whatever it was, the other files of the batch are not to pay for it.
        return False
    return True


def _objects(body: str) -> tuple[list[ObjectRef], bool]:
    """The objects that a message names, and whether they are to be scored even if they have results.

    Raises UnreadableEvent when it is not JSON or not an event of a known source.
    """
    try:
        event = json.loads(body)
        source = next((source for source in INSIDE if source.infer(event)), None)
        if source is not None:
            return source.objects(event), source is Direct and event.get("again") is True
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableEvent(f"The message can't be read: {type(error).__name__}.") from error
    raise UnreadableEvent(f"The message holds no event of a known kind, but {shape_of(event)}.")
