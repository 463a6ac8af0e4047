"""The handler of the Lambda function: finds the source of an event and calls its adapter."""

from typing import Any

from aqscore.audio.worker_pool import hide_secrets, prestart_worker
from aqscore.aws import metrics
from aqscore.aws.events import source_of
from aqscore.aws.notifications import notifier_for
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.aws.s3 import shared_s3_client
from aqscore.aws.settings import Settings
from aqscore.errors import UnreadableEvent
from aqscore.model.loading import load_model

logger = metrics.log_as_json()

# Lambda imports this module in its init phase. The model is then loaded before the first event, and a wrong
# setting raises SetupError before a message is received.
settings = Settings.from_env()
scorer = ObjectScorer(settings, shared_s3_client(), notifier_for(settings))
hide_secrets()
prestart_worker()
load_model(settings.scorer)


@logger.inject_lambda_context
def handler(event: Any, context: Any) -> Any:
    """Handles one event of any source in aqscore.aws.events.

    Raises UnreadableEvent for an event of unknown shape, and RetryableErrors for sources that retry.
    """
    metrics.record_cold_start()
    try:
        source = source_of(event)
    except UnreadableEvent as error:
        metrics.record_error("Event refused", error, {})
        raise
    return source.handle(event, context, scorer)
