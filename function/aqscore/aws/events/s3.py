"""S3 event notifications that S3 sends to the function directly.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from typing import Any
from urllib.parse import unquote_plus

from aqscore.aws.invocation import Invocation
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer

RESTORED = "ObjectRestore:Completed"


class S3:
    """``{"Records": [{"eventSource": "aws:s3", ...}]}``, and the test event that S3 sends once."""

    @staticmethod
    def infer(event: Any) -> bool:
        if not isinstance(event, dict):
            return False
        if event.get("Event") == "s3:TestEvent":
            return True
        records = event.get("Records")
        return bool(records) and isinstance(records, list) and _source(records[0]) == "aws:s3"

    @staticmethod
    def objects(event: Any) -> list[ObjectRef]:
        """The objects that were created or restored, in the event's order; none for a test event.

        Raises KeyError, TypeError or ValueError when the records don't have the documented shape.
        """
        return [
            _object(record)
            for record in event.get("Records", ())
            if record["eventName"].removeprefix("s3:").startswith(("ObjectCreated:", RESTORED))
        ]

    @staticmethod
    def handle(event: Any, context: Any, scorer: ObjectScorer) -> dict[str, Any]:
        """Scores each object. A RetryableError ends the invocation, and Lambda retries the event."""
        invocation = Invocation(context)
        outcomes = [(ref, scorer.process(ref, invocation.attempt())) for ref in S3.objects(event)]
        return {
            "results": [
                {
                    "bucket": ref.bucket,
                    "key": ref.key,
                    "state": outcome.state,
                    "result_key": outcome.result_key,
                }
                for ref, outcome in outcomes
            ]
        }


def _source(record: Any) -> str | None:
    return record.get("eventSource") if isinstance(record, dict) else None


def _object(record: dict[str, Any]) -> ObjectRef:
    s3 = record["s3"]
    return ObjectRef(
        bucket=s3["bucket"]["name"],
        key=unquote_plus(s3["object"]["key"]),
        version_id=s3["object"].get("versionId"),
        etag=s3["object"].get("eTag"),
        sequencer=s3["object"].get("sequencer"),
        size_bytes=s3["object"].get("size"),
        restored=record["eventName"].endswith(RESTORED),
    )
