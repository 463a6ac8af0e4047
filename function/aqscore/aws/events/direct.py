"""Direct invocations: ``{"bucket": ..., "key": ...}``, with ``version_id`` for an older version."""

from typing import Any

from aqscore.aws.invocation import Invocation
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer


class Direct:
    """Scores the object even if it has a result, stores the new result and returns it."""

    @staticmethod
    def infer(event: Any) -> bool:
        return isinstance(event, dict) and all(
            isinstance(event.get(name), str) and event[name] for name in ("bucket", "key")
        )

    @staticmethod
    def objects(event: Any) -> list[ObjectRef]:
        """The object that the event names."""
        return [ObjectRef(event["bucket"], event["key"], version_id=event.get("version_id"))]

    @staticmethod
    def handle(event: Any, context: Any, scorer: ObjectScorer) -> dict[str, Any]:
        """Returns the result: a report or an error record.

        Returns ``{"state": "superseded"}`` if a newer version of the object has a result.
        """
        [ref] = Direct.objects(event)
        outcome = scorer.process(ref, Invocation(context).attempt(rescore=True))
        if outcome.document is None:
            return {"state": outcome.state}
        return outcome.document.model_dump(mode="json")
