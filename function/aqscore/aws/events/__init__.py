"""The ways in: one small adapter a source, tried in order. Each infers its events, then handles them.

Adding a source is a class with ``infer`` and ``handle``, and its place in SOURCES.
"""

from typing import Any, Protocol

from aqscore.aws.events.direct import Direct
from aqscore.aws.events.eventbridge import EventBridge
from aqscore.aws.events.http import Http
from aqscore.aws.events.s3 import S3
from aqscore.aws.events.s3_batch import S3Batch
from aqscore.aws.events.shape import shape_of
from aqscore.aws.events.sqs import Sqs
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.errors import UnreadableEvent


class Source(Protocol):
    """An adapter for the events of one source."""

    @staticmethod
    def infer(event: Any) -> bool:
        """Whether this is one of its events."""

    @staticmethod
    def handle(event: Any, context: Any, folder: ObjectScorer) -> Any:
        """Does what the event asks for and answers in the source's own form."""


SOURCES: tuple[type[Source], ...] = (Sqs, S3, EventBridge, S3Batch, Http, Direct)


def source_of(event: Any) -> type[Source]:
    """The adapter of an event's source.

    Raises UnreadableEvent for an event of unknown shape.
    """
    for source in SOURCES:
        if source.infer(event):
            return source
    raise UnreadableEvent(
        f"The event is of no known kind, but {shape_of(event)}. Expected SQS, S3, EventBridge, S3 Batch "
        'Operations, an HTTP request, or {"bucket": ..., "key": ...}.'
    )
