"""The entry point in Lambda: finds the event's source and hands the event to its adapter."""

from typing import Any

from aqscore.audio.client import start
from aqscore.aws import metrics as telemetry
from aqscore.aws.events import source_of
from aqscore.aws.notifications import announcer_of
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.aws.settings import Settings
from aqscore.aws.storage import storage_of_stack
from aqscore.errors import UnreadableEvent
from aqscore.model.loading import load_model

logger = telemetry.log_as_json()

# At import, which is Lambda's init: the first event finds the model loaded, and a wrong setting
# shows before anything is taken from the queue.
settings = Settings.from_env()
folder = ObjectScorer(settings, storage_of_stack(), announcer_of(settings))
start(settings.scorer.limits)
load_model(settings.scorer)


@logger.inject_lambda_context
def handler(event: Any, context: Any) -> Any:
    """Answers one event of any source in aqscore.aws.events.

    Raises UnreadableEvent for an event of unknown shape, RetryableErrors where the source retries.
    """
    telemetry.count_cold_start()
    try:
        source = source_of(event)
    except UnreadableEvent as error:
        telemetry.failed("Event refused", error, {})
        raise
    return source.handle(event, context, folder)
