"""S3's events: the samples of tests/events, for the objects of a test."""

import json
from pathlib import Path
from urllib.parse import quote_plus

EVENTS = Path(__file__).resolve().parents[1] / "events"


def sample(name: str) -> dict:
    return json.loads((EVENTS / f"{name}.json").read_text())


def s3_event(source: dict) -> dict:
    """S3's notification about an object version, which is given as the ``source`` of a result."""
    event = sample("s3")
    s3 = event["Records"][0]["s3"]
    s3["bucket"] |= {"name": source["bucket"], "arn": f"arn:aws:s3:::{source['bucket']}"}
    s3["object"] = {
        "key": quote_plus(source["key"]),
        "size": source["size_bytes"],
        "eTag": source["etag"],
        "versionId": source["version_id"],
        "sequencer": source["sequencer"],
    }
    return event


def eventbridge_event(source: dict) -> dict:
    """EventBridge's event about the same."""
    event = sample("eventbridge")
    event["detail"]["bucket"]["name"] = source["bucket"]
    event["detail"]["object"] = {
        "key": source["key"],
        "size": source["size_bytes"],
        "etag": source["etag"],
        "version-id": source["version_id"],
        "sequencer": source["sequencer"],
    }
    return event
