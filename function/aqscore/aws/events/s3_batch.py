"""S3 Batch Operations: one call of the function an object, for the backfill of whole buckets.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
"""

from typing import Any
from urllib.parse import unquote_plus

from aqscore.aws.invocation import Call
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.errors import AqscoreError, PermanentError
from aqscore.report import ErrorRecord

# What became of a task, in the words of Batch Operations: PermanentFailure ends up in the job's
# completion report, TemporaryFailure is tried again before the job completes.
SUCCEEDED, TEMPORARY, PERMANENT = "Succeeded", "TemporaryFailure", "PermanentFailure"
LONGEST_RESULT = 1_000  # characters; a completion report is a table, and the whole record is in the bucket


class S3Batch:
    """Invocation schemas 1.0 (``s3BucketArn``) and 2.0 (``s3Bucket``, ``job.userArguments``)."""

    @staticmethod
    def infer(event: Any) -> bool:
        return (
            isinstance(event, dict)
            and "invocationSchemaVersion" in event
            and isinstance(event.get("tasks"), list)
        )

    @staticmethod
    def handle(event: Any, context: Any, folder: ObjectScorer) -> dict[str, Any]:
        """Scores each task's object and answers for each by its task id.

        The job's user argument ``again`` (``"true"``) scores even what has a result. A recording that
        can't be scored is a PermanentFailure although its error record is written: so the completion
        report lists it, and S3 stops a job of which more than half is no audio.
        """
        again = (event.get("job", {}).get("userArguments") or {}).get("again") == "true"
        call, results = Call(context), []
        for task in event["tasks"]:
            code, text = _result(task, folder, call, again)
            results.append(
                {"taskId": task["taskId"], "resultCode": code, "resultString": text[:LONGEST_RESULT]}
            )
        return {
            "invocationSchemaVersion": event["invocationSchemaVersion"],
            # A task that the answer leaves out was never dealt with, and the report is to say so.
            "treatMissingKeysAs": PERMANENT,
            "invocationId": event["invocationId"],
            "results": results,
        }


def _result(task: dict[str, Any], folder: ObjectScorer, call: Call, again: bool) -> tuple[str, str]:
    """Result code and result string of one task."""
    try:
        outcome = folder.process(_object(task), again=again, **call.time_left())
    except PermanentError as error:
        return PERMANENT, f"{error.type}: {error.message}"
    except AqscoreError as error:
        return TEMPORARY, f"{error.type}: {error.message}"
    except Exception as error:
        # Whatever it was, the job's other tasks are not to pay for it. The drop folder has reported it.
        return TEMPORARY, repr(error)
    if isinstance(outcome.document, ErrorRecord):
        return PERMANENT, f"{outcome.document.error.type}: {outcome.document.error.message}"
    return SUCCEEDED, f"{outcome.state} {outcome.result_key or ''}".strip()


def _object(task: dict[str, Any]) -> ObjectRef:
    """Keys come as the manifest has them, URL-encoded, in either schema (Powertools decodes both too)."""
    bucket = task["s3Bucket"] if "s3Bucket" in task else task["s3BucketArn"].rpartition(":")[2]
    return ObjectRef(bucket, unquote_plus(task["s3Key"]), version_id=task.get("s3VersionId"))
