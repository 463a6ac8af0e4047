"""The ways in: one small adapter a source, tried in order. Each infers its events, then handles them.

Adding a source is a class with ``infer`` and ``handle``, and its place in SOURCES.
"""

from typing import Any, Protocol

from function.drop_folder import DropFolder
from function.errors import UnreadableEvent
from function.events.direct import Direct
from function.events.eventbridge import EventBridge
from function.events.http import Http
from function.events.s3 import S3
from function.events.s3_batch import S3Batch
from function.events.shape import shape_of
from function.events.sqs import Sqs


class Source(Protocol):
    """An adapter for the events of one source."""

    @staticmethod
    def infer(event: Any) -> bool:
        """Whether this is one of its events."""

    @staticmethod
    def handle(event: Any, context: Any, folder: DropFolder) -> Any:
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
