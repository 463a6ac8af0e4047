"""The queue: messages that hold events of the other sources, answered one by one.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import json
import logging
from typing import Any

from function.drop_folder import DropFolder
from function.errors import BadRequest, UnreadableEvent
from function.events.direct import Direct
from function.events.eventbridge import EventBridge
from function.events.s3 import S3
from function.storage import ObjectRef

INSIDE = (S3, EventBridge, Direct)

log = logging.getLogger(__name__)


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
    def handle(event: Any, context: Any, folder: DropFolder) -> dict[str, Any]:
        """Partial batch response: names the messages that are to be delivered again.

        A message that can't be read is among them too: after its last try it rests in the dead-letter
        queue, where a person can see it, instead of being lost.
        """
        failed = []
        for record in event["Records"]:
            try:
                for ref in _objects(record["body"]):
                    folder.process(ref)
            except BadRequest as error:
                log.error("Message %s dropped: %s", record["messageId"], error.message)
            except Exception:
                # Whatever it was, the other messages of the batch are not to pay for it.
                log.exception("Message %s goes back to the queue", record["messageId"])
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}


def _objects(body: str) -> list[ObjectRef]:
    """The objects that a message names.

    Raises UnreadableEvent when it is not JSON or not an event of a known source.
    """
    try:
        event = json.loads(body)
        source = next((source for source in INSIDE if source.infer(event)), None)
        if source is not None:
            return source.objects(event)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableEvent(f"The message can't be read ({error!r}): {body[:200]}") from error
    raise UnreadableEvent(f"The message holds no event of a known kind: {body[:200]}")
