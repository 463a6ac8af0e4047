"""S3 events by way of EventBridge.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from typing import Any

from aqscore.aws.invocation import Call
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer


class EventBridge:
    """``{"source": "aws.s3", "detail-type": "Object Created", "detail": {...}}``; keys come unencoded."""

    @staticmethod
    def infer(event: Any) -> bool:
        return isinstance(event, dict) and event.get("source") == "aws.s3" and "detail" in event

    @staticmethod
    def objects(event: Any) -> list[ObjectRef]:
        """The object that was created; none for events of other kinds.

        Raises KeyError or TypeError when the event isn't shaped as documented.
        """
        if event["detail-type"] != "Object Created":
            return []
        detail = event["detail"]
        return [
            ObjectRef(
                bucket=detail["bucket"]["name"],
                key=detail["object"]["key"],
                version_id=detail["object"].get("version-id"),
                etag=detail["object"].get("etag"),
                sequencer=detail["object"].get("sequencer"),
                size_bytes=detail["object"].get("size"),
            )
        ]

    @staticmethod
    def handle(event: Any, context: Any, folder: ObjectScorer) -> dict[str, Any]:
        """Scores the object. A RetryableError ends the call: EventBridge delivers the event again."""
        call = Call(context)
        states = [folder.process(ref, **call.time_left()).state for ref in EventBridge.objects(event)]
        return {"states": states}
