"""SNS: the envelope around an event that a topic forwards to the queue.

A topic sends the bare event where the subscription has raw message delivery, and an envelope otherwise:
https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

import json
from typing import Any


def unwrapped(event: Any) -> Any:
    """The event inside an envelope of SNS; any other value as it is. Raises ValueError unless it is JSON."""
    if isinstance(event, dict) and event.get("Type") == "Notification" and "TopicArn" in event:
        return json.loads(event["Message"])
    return event
