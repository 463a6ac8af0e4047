"""S3 events through EventBridge.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from typing import Any

from aqscore.aws.invocation import Invocation
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer

RESTORED = "Object Restore Completed"


class EventBridge:
    """``{"source": "aws.s3", "detail-type": "Object Created", "detail": {...}}``. Keys aren't URL-encoded.

    An object that is restored from an archive has a detail-type of its own.
    """

    @staticmethod
    def infer(event: Any) -> bool:
        return isinstance(event, dict) and event.get("source") == "aws.s3" and "detail" in event

    @staticmethod
    def objects(event: Any) -> list[ObjectRef]:
        """The object that was created or restored; none for events of other kinds.

        Raises KeyError or TypeError when the event doesn't have the documented shape.
        """
        if event["detail-type"] not in ("Object Created", RESTORED):
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
                restored=event["detail-type"] == RESTORED,
            )
        ]

    @staticmethod
    def handle(event: Any, context: Any, scorer: ObjectScorer) -> dict[str, Any]:
        """Scores the object. A RetryableError ends the invocation, and Lambda retries the event."""
        invocation = Invocation(context)
        states = [scorer.process(ref, invocation.attempt()).state for ref in EventBridge.objects(event)]
        return {"states": states}
