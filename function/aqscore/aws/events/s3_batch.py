"""S3 Batch Operations, for the backfill of whole buckets: one invocation for each object.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
"""

from typing import Any
from urllib.parse import unquote_plus

from aqscore.aws.invocation import Attempt, Invocation
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.errors import AqscoreError, PermanentError
from aqscore.report import ErrorRecord

# Result codes of Batch Operations. It retries a TemporaryFailure before the job completes, and lists a
# PermanentFailure in the job's completion report.
SUCCEEDED, TEMPORARY, PERMANENT = "Succeeded", "TemporaryFailure", "PermanentFailure"
MAX_RESULT_CHARS = 1_000  # keeps the completion report readable; the bucket has the whole error record


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
    def handle(event: Any, context: Any, scorer: ObjectScorer) -> dict[str, Any]:
        """Scores the object of each task. Returns a result for each task id.

        The job's user argument ``rescore`` (``"true"``) scores objects that have a result too. A recording
        that can't be scored has an error record and is a PermanentFailure: the completion report lists it,
        and S3 stops a job when more than half of its objects are not audio.
        """
        rescore = (event.get("job", {}).get("userArguments") or {}).get("rescore") == "true"
        invocation, results = Invocation(context), []
        for task in event["tasks"]:
            code, text = _result(task, scorer, invocation.attempt(rescore=rescore))
            results.append(
                {"taskId": task["taskId"], "resultCode": code, "resultString": text[:MAX_RESULT_CHARS]}
            )
        return {
            "invocationSchemaVersion": event["invocationSchemaVersion"],
            # For tasks without a result: the completion report must list them.
            "treatMissingKeysAs": PERMANENT,
            "invocationId": event["invocationId"],
            "results": results,
        }


def _result(task: dict[str, Any], scorer: ObjectScorer, attempt: Attempt) -> tuple[str, str]:
    """Scores the object of one task. Returns result code and result string."""
    try:
        outcome = scorer.process(_object(task), attempt)
    except PermanentError as error:
        return PERMANENT, f"{error.type}: {error.message}"
    except AqscoreError as error:
        return TEMPORARY, f"{error.type}: {error.message}"
    except Exception as error:
        # Already logged by the scorer. An unexpected error must not fail the other tasks.
        return TEMPORARY, repr(error)
    if isinstance(outcome.document, ErrorRecord):
        return PERMANENT, f"{outcome.document.error.type}: {outcome.document.error.message}"
    return SUCCEEDED, f"{outcome.state} {outcome.result_key or ''}".strip()


def _object(task: dict[str, Any]) -> ObjectRef:
    """The object of a task. In both schemas the key is URL-encoded, as in the manifest."""
    bucket = task["s3Bucket"] if "s3Bucket" in task else task["s3BucketArn"].rpartition(":")[2]
    return ObjectRef(bucket, unquote_plus(task["s3Key"]), version_id=task.get("s3VersionId"))
