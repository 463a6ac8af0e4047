"""Event sources: one adapter for each, tried in order. Each infers its events, then handles them.

A new source needs a class with ``infer`` and ``handle``, and a place in SOURCES.
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
        """Whether this is an event of the source."""

    @staticmethod
    def handle(event: Any, context: Any, scorer: ObjectScorer) -> Any:
        """Scores what the event names. Returns the response that the source expects."""


SOURCES: tuple[type[Source], ...] = (Sqs, S3, EventBridge, S3Batch, Http, Direct)


def source_of(event: Any) -> type[Source]:
    """The adapter for an event. Raises UnreadableEvent for an event of unknown shape."""
    for source in SOURCES:
        if source.infer(event):
            return source
    raise UnreadableEvent(
        f"The event is of no known kind: it is {shape_of(event)}. Expected an event of SQS, S3, EventBridge "
        'or S3 Batch Operations, an HTTP request, or {"bucket": ..., "key": ...}.'
    )
