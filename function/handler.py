"""The entry point in Lambda: finds the event's source and hands the event to its adapter."""

import logging
from typing import Any

from function.drop_folder import DropFolder
from function.events import source_of
from function.model import load_model
from function.settings import Settings
from function.storage import Storage

logging.getLogger("function").setLevel(logging.INFO)

# At import, which is Lambda's init: the first event finds the model loaded, and a wrong setting
# shows before anything is taken from the queue.
settings = Settings.from_env()
folder = DropFolder(settings, Storage())
load_model(settings)


def handler(event: Any, context: Any) -> Any:
    """Answers one event of any source in function.events.

    Raises UnreadableEvent for an event of unknown shape, RetryableErrors where the source retries.
    """
    return source_of(event).handle(event, context, folder)
