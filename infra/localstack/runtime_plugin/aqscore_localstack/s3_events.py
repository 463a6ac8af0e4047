"""Corrects LocalStack's S3 events: they have a constant sequencer, and encoded keys on EventBridge.

The function orders versions by the sequencer, which here grows with the time of the write. AWS gives one to
the events of writes and deletions only; LocalStack gives one to restored objects too.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html

AWS encodes keys only in notifications; LocalStack encodes them in EventBridge's events too.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import json
from urllib.parse import unquote

from localstack.services.s3.notifications import (
    BaseNotifier,
    EventBridgeNotifier,
    S3EventNotificationContext,
)

_notification = BaseNotifier._get_event_payload
_eventbridge_entry = EventBridgeNotifier._get_event_payload


def patch() -> None:
    """Makes LocalStack send both kinds of events as AWS does."""
    BaseNotifier._get_event_payload = staticmethod(_payload)
    EventBridgeNotifier._get_event_payload = staticmethod(_entry)


def _payload(context: S3EventNotificationContext, config_id: str) -> dict:
    event = _notification(context, config_id)
    for record in event["Records"]:
        if record["s3"]["object"].pop("sequencer", None) and "ObjectRestore" not in context.event_type:
            record["s3"]["object"]["sequencer"] = _sequencer(context)
    return event


def _entry(context: S3EventNotificationContext, config_id: str | None = None) -> dict:
    entry = _eventbridge_entry(context, config_id)
    detail = json.loads(entry["Detail"])
    detail["object"]["key"] = unquote(detail["object"]["key"])
    if "sequencer" in detail["object"]:
        detail["object"]["sequencer"] = _sequencer(context)
    return entry | {"Detail": json.dumps(detail)}


def _sequencer(context: S3EventNotificationContext) -> str:
    """A hexadecimal number."""
    return f"{int(context.event_time.timestamp() * 1e6):018X}"
