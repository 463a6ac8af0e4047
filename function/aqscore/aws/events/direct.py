"""Invoking by hand: ``{"bucket": ..., "key": ...}``, with ``version_id`` for an older version."""

from typing import Any

from aqscore.aws.invocation import Call
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer


class Direct:
    """A person's own call: scores anew even if there is a result, stores it, and returns it."""

    @staticmethod
    def infer(event: Any) -> bool:
        return isinstance(event, dict) and all(
            isinstance(event.get(name), str) and event[name] for name in ("bucket", "key")
        )

    @staticmethod
    def objects(event: Any) -> list[ObjectRef]:
        """The object that the call names."""
        return [ObjectRef(event["bucket"], event["key"], version_id=event.get("version_id"))]

    @staticmethod
    def handle(event: Any, context: Any, folder: ObjectScorer) -> dict[str, Any]:
        """Returns the result, a report or an error record.

        Of an older version than the stored result's, it returns ``{"state": "superseded"}``.
        """
        [ref] = Direct.objects(event)
        outcome = folder.process(ref, again=True, **Call(context).time_left())
        if outcome.document is None:
            return {"state": outcome.state}
        return outcome.document.model_dump(mode="json")
