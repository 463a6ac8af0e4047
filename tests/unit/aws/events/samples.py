"""Sample events of each source, and stand-ins for Lambda's context and the object scorer."""

import json

from aqscore.aws.invocation import Attempt
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import Outcome
from aqscore.errors import BadRequest, StorageUnavailable
from aqscore.report import ErrorInfo, ErrorRecord, ObjectSource
from tests.conftest import ROOT

OBJECT = {
    "key": "calls/a+b%2B%25+%E5%BD%95%E9%9F%B3.wav",
    "size": 7,
    "eTag": "e1",
    "versionId": "v1",
    "sequencer": "0A",
}
KEY = "calls/a b+% 录音.wav"
REF = ObjectRef("incoming", KEY, version_id="v1", etag="e1", sequencer="0A", size_bytes=7)


def s3_event(*names: str) -> dict:
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": name,
                "s3": {"bucket": {"name": "incoming"}, "object": OBJECT},
            }
            for name in names or ("ObjectCreated:Put",)
        ]
    }


def eventbridge_event(kind: str = "Object Created") -> dict:
    created = {"key": KEY, "size": 7, "etag": "e1", "version-id": "v1", "sequencer": "0A"}
    return {
        "source": "aws.s3",
        "detail-type": kind,
        "detail": {"bucket": {"name": "incoming"}, "object": created},
    }


def restored(event: dict) -> dict:
    """The event that S3 sends when the object of a creation is restored from an archive: no sequencer."""
    text = json.dumps(event).replace("ObjectCreated:Put", "ObjectRestore:Completed")
    text = text.replace("Object Created", "Object Restore Completed").replace(', "sequencer": "0A"', "")
    return json.loads(text)


def sns_envelope(event: dict) -> dict:
    """A message of SNS without raw delivery. Its other members are left out."""
    topic = "arn:aws:sns:eu-central-1:123456789012:uploads"
    return {"Type": "Notification", "TopicArn": topic, "Message": json.dumps(event)}


def sqs_event(*bodies) -> dict:
    return {
        "Records": [
            {
                "eventSource": "aws:sqs",
                "messageId": f"m{i}",
                "body": body if isinstance(body, str) else json.dumps(body),
            }
            for i, body in enumerate(bodies)
        ]
    }


TEST_EVENT = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "incoming"}


def sample(name: str) -> dict:
    return json.loads((ROOT / "tests" / "events" / f"{name}.json").read_text())


HTTP = [sample(name) for name in ("rest_api", "http_api", "function_url")]
BATCH = [sample(name) for name in ("s3_batch_1_0", "s3_batch_2_0")]


class Context:
    """Lambda's context of an invocation, whose remaining time the test sets."""

    def __init__(self, left_s: float = 300) -> None:
        self.left_s = left_s

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * self.left_s)


class StubScorer:
    """Records the objects and attempts that it gets. Keys name the error that it raises.

    Each object takes ``spends_s`` of the context's time.
    """

    def __init__(self, context: Context | None = None, spends_s: float = 0) -> None:
        self.refs: list[ObjectRef] = []
        self.attempts: list[Attempt] = []
        self._context, self._spends_s = context or Context(), spends_s

    def process(self, ref: ObjectRef, attempt: Attempt) -> Outcome:
        self.refs.append(ref)
        self.attempts.append(attempt)
        self._context.left_s -= self._spends_s
        if ref.key == "unavailable":
            raise StorageUnavailable("S3 is unavailable.")
        if ref.key == "result":
            raise BadRequest("A result is not a recording.")
        if ref.key == "bug":
            raise ZeroDivisionError
        if ref.key == "good.wav":
            return Outcome("duplicate", f"{ref.key}.json")
        error = ErrorInfo(type="empty_file", message="Empty.", advice="Fill it.", retryable=False)
        record = ErrorRecord(source=ObjectSource(bucket=ref.bucket, key=ref.key), error=error)
        return Outcome("refused", f"{ref.key}.error.json", record)
