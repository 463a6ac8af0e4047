"""The sequencer of S3's events. LocalStack sends one constant; the function orders versions by it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from localstack.services.s3.notifications import BaseNotifier, S3EventNotificationContext

_constant_payload = BaseNotifier._get_event_payload


def add() -> None:
    """From now on sequencers grow with the time of the write, as hexadecimal numbers."""
    BaseNotifier._get_event_payload = staticmethod(_payload)


def _payload(context: S3EventNotificationContext, config_id: str) -> dict:
    event = _constant_payload(context, config_id)
    for record in event["Records"]:
        if "sequencer" in record["s3"]["object"]:
            record["s3"]["object"]["sequencer"] = f"{int(context.event_time.timestamp() * 1e6):018X}"
    return event
