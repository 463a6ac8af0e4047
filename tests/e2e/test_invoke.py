"""The function called without the queue: directly, by S3 and by EventBridge."""

import numpy as np
import pytest

from aqscore.report import ErrorRecord, Report
from infra.localstack.stack import Stack
from tests.conftest import wav_bytes
from tests.e2e.events import eventbridge_event, s3_event


@pytest.fixture(scope="module")
def source(stack: Stack, speech: np.ndarray) -> dict:
    """An object version in the incoming bucket, as its result names it."""
    key = "invoked/a call (1+1).wav"
    report = stack.wait_for_result(key, stack.upload(key, wav_bytes(speech[:16_000])))
    return report["source"]


@pytest.fixture
def unscored(stack: Stack, source: dict) -> dict:
    """The same, without a result."""
    stack.s3.delete_object(Bucket=stack.results_bucket, Key=f"{source['key']}.json")
    return source


def test_a_direct_call_returns_the_result(stack: Stack, unscored: dict) -> None:
    answer = stack.invoke({"bucket": unscored["bucket"], "key": unscored["key"]})
    assert Report.model_validate(answer).source.version_id == unscored["version_id"]
    assert stack.read_result(f"{unscored['key']}.json") == answer


def test_a_direct_call_for_a_missing_object_returns_an_error_record(stack: Stack) -> None:
    answer = stack.invoke({"bucket": stack.incoming_bucket, "key": "invoked/never-there.wav"})
    assert ErrorRecord.model_validate(answer).error.type == "object_not_found"
    assert stack.read_result("invoked/never-there.wav.error.json") == answer


def test_a_call_by_s3_returns_the_key_of_the_result(stack: Stack, unscored: dict) -> None:
    [answer] = stack.invoke(s3_event(unscored))["results"]
    assert (answer["bucket"], answer["key"]) == (unscored["bucket"], unscored["key"])
    assert stack.read_result(answer["result_key"])["source"]["version_id"] == unscored["version_id"]


def test_a_call_by_eventbridge_stores_the_result(stack: Stack, unscored: dict) -> None:
    stack.invoke(eventbridge_event(unscored))
    assert stack.read_result(f"{unscored['key']}.json")["source"]["key"] == unscored["key"]


def test_an_unknown_event_raises(stack: Stack) -> None:
    with pytest.raises(RuntimeError, match="The event is of no known kind"):
        stack.invoke({"hello": "world"})
