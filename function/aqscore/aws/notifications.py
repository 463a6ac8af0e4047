"""Notifications of results: an event on a bus of EventBridge, or a message to an SNS topic.

``python -m aqscore.aws.notifications`` prints docs/announcement-v1.schema.json. docs/notifications.md
describes how to subscribe, and the delivery guarantees.
"""

import json
from typing import Any, Literal, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, Field

from aqscore.aws.settings import Settings
from aqscore.causes import CauseKind
from aqscore.errors import AnnouncementFailed
from aqscore.report import ErrorRecord, Mos, ObjectSource, Report, Score, Seconds
from aqscore.scale import Verdict

SOURCE = "aqscore"
DETAIL_TYPES = {"scored": "Recording Scored", "refused": "Recording Refused"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StoredResult(_Part):
    """Where the whole result is."""

    bucket: str
    key: str


class ModelName(_Part):
    """Which model scored."""

    name: str
    version: str


class ErrorSummary(_Part):
    """Why the recording could not be scored."""

    type: str
    message: str


class Notification(_Part):
    """A result in short: an event's detail, or a message's body."""

    schema_version: Literal["1"] = "1"
    state: Literal["scored", "refused"]
    source: ObjectSource
    result: StoredResult
    model: ModelName | None = Field(default=None, description="Null when refused")
    score: Score | None = Field(
        default=None, description="Null when refused, and where it would mean nothing"
    )
    interval: tuple[Score, Score] | None = None
    verdict: Verdict | None = None
    mos: Mos | None = Field(default=None, description="Estimate of listeners' MOS; null without a score")
    causes: list[CauseKind] = Field(default=[], description="Kinds, worst first, as in the report")
    duration_s: Seconds | None = Field(default=None, description="Of the recording; null when refused")
    warnings: list[str] = Field(default=[], description="Codes, as in the report")
    error: ErrorSummary | None = Field(default=None, description="Null when scored")

    @classmethod
    def of(cls, document: Report | ErrorRecord, bucket: str, key: str) -> "Notification":
        """The notification of an object's result, which is stored under that bucket and key.

        Raises ValueError for the result of a local file.
        """
        if not isinstance(document.source, ObjectSource):
            raise ValueError("The result is of a local file, expected one of an object in S3.")
        stored = StoredResult(bucket=bucket, key=key)
        if isinstance(document, ErrorRecord):
            summary = ErrorSummary(type=document.error.type, message=document.error.message)
            return cls(state="refused", source=document.source, result=stored, error=summary)
        return cls(
            state="scored",
            source=document.source,
            result=stored,
            model=ModelName(name=document.model.name, version=document.model.version),
            score=document.score,
            interval=document.interval,
            verdict=document.verdict,
            mos=document.mos,
            causes=[cause.kind for cause in document.causes or []],
            duration_s=document.media.duration_s,
            warnings=[warning.code for warning in document.warnings],
        )


class Notifier(Protocol):
    """Sends notifications."""

    def notify(self, notification: Notification) -> None:
        """Sends a notification. Raises AnnouncementFailed when AWS did not accept it."""


class EventBridgeNotifier:
    """Puts events on a bus. Rules select by any field: ``{"detail": {"score": [{"numeric": ["<", 2]}]}}``.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
    """

    def __init__(self, client: Any, bus: str) -> None:
        self._events = client
        self._bus = bus

    def notify(self, notification: Notification) -> None:
        entry = {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": DETAIL_TYPES[notification.state],
            "Detail": notification.model_dump_json(),
        }
        try:
            answer = self._events.put_events(Entries=[entry])
        except (ClientError, BotoCoreError) as error:
            raise AnnouncementFailed(f"EventBridge did not accept the event: {error}") from error
        if answer["FailedEntryCount"]:
            [failed] = answer["Entries"]
            raise AnnouncementFailed(
                f"EventBridge did not accept the event: {failed['ErrorCode']}, {failed.get('ErrorMessage')}"
            )


class SnsNotifier:
    """Publishes messages to a topic, with ``state`` and ``verdict`` as attributes for filter policies.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
    """

    def __init__(self, client: Any, topic_arn: str) -> None:
        self._sns = client
        self._topic_arn = topic_arn

    def notify(self, notification: Notification) -> None:
        attributes = {"state": notification.state, "verdict": notification.verdict}
        try:
            self._sns.publish(
                TopicArn=self._topic_arn,
                Message=notification.model_dump_json(),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes.items()
                    if value
                },
            )
        except (ClientError, BotoCoreError) as error:
            raise AnnouncementFailed(f"SNS did not accept the message: {error}") from error


def notifier_for(settings: Settings) -> Notifier | None:
    """The notifier that the settings ask for; None without notifications."""
    import boto3

    if settings.event_bus:
        return EventBridgeNotifier(boto3.client("events"), settings.event_bus)
    if settings.topic_arn:
        return SnsNotifier(boto3.client("sns"), settings.topic_arn)
    return None


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a notification."""
    schema = Notification.model_json_schema(mode="serialization") | {"title": "Announcement"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema.pop("title"),
        **schema,
    }


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2))
