"""The function understands the sample events in tests/events."""

import json
from pathlib import Path

import pytest

from aqscore.aws.events import source_of
from aqscore.aws.events.direct import Direct
from aqscore.aws.events.eventbridge import EventBridge
from aqscore.aws.events.http import Http
from aqscore.aws.events.s3 import S3
from aqscore.aws.events.s3_batch import S3Batch
from aqscore.aws.events.sns import unwrapped
from aqscore.aws.events.sqs import Sqs

EVENTS = Path(__file__).resolve().parents[1] / "events"
SOURCES = {
    "sqs_s3": Sqs,
    "sqs_sns_s3": Sqs,
    "s3": S3,
    "s3_test_event": S3,
    "eventbridge": EventBridge,
    "s3_batch_1_0": S3Batch,
    "s3_batch_2_0": S3Batch,
    "direct": Direct,
    "rest_api": Http,
    "http_api": Http,
    "function_url": Http,
}


def event(name: str) -> dict:
    return json.loads((EVENTS / f"{name}.json").read_text())


def test_every_sample_event_is_tested() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == SOURCES.keys()


@pytest.mark.parametrize(("name", "source"), SOURCES.items(), ids=lambda each: each)
def test_a_sample_event_has_its_source(name: str, source: type) -> None:
    assert source_of(event(name)) is source


@pytest.mark.parametrize("name", ["s3", "eventbridge", "direct"])
def test_every_source_names_the_same_object(name: str) -> None:
    [ref] = SOURCES[name].objects(event(name))
    assert ref.bucket == "aqscore-incoming-123456789012-eu-central-1"
    assert ref.key == "recordings/first call.wav"
    assert (ref.version_id is None) == (name == "direct")


def test_the_message_holds_the_s3_event() -> None:
    [record] = event("sqs_s3")["Records"]
    assert json.loads(record["body"]) == event("s3")


def test_the_envelope_of_sns_holds_the_s3_event() -> None:
    [record] = event("sqs_sns_s3")["Records"]
    assert unwrapped(json.loads(record["body"])) == event("s3")


def test_the_test_event_names_no_object() -> None:
    assert S3.objects(event("s3_test_event")) == []
