"""The entry point in Lambda: finds the event's source and hands the event to its adapter."""

from typing import Any

from function import telemetry
from function.announcements import announcer_of
from function.drop_folder import DropFolder
from function.errors import UnreadableEvent
from function.events import source_of
from function.isolation import start
from function.model import load_model
from function.settings import Settings
from function.storage import storage_of_stack

logger = telemetry.log_as_json()

# At import, which is Lambda's init: the first event finds the model loaded, and a wrong setting
# shows before anything is taken from the queue.
settings = Settings.from_env()
folder = DropFolder(settings, storage_of_stack(), announcer_of(settings))
start(settings.limits)
load_model(settings)


@logger.inject_lambda_context
def handler(event: Any, context: Any) -> Any:
    """Answers one event of any source in function.events.

    Raises UnreadableEvent for an event of unknown shape, RetryableErrors where the source retries.
    """
    telemetry.count_cold_start()
    try:
        source = source_of(event)
    except UnreadableEvent as error:
        telemetry.failed("Event refused", error, {})
        raise
    return source.handle(event, context, folder)
