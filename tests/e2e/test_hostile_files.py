"""Recordings that crash, hang or bloat their decoder worker don't affect other recordings of the queue."""

from collections.abc import Iterator

import numpy as np
import pytest

from infra.localstack.server import localstack
from infra.localstack.stack import Stack, deploy
from tests.conftest import ROOT, wav_bytes
from tests.e2e.conftest import wait_until_idle
from tests.recordings import titled

# Fault that tests/hostile/sitecustomize.py injects into the decoder worker -> the type of the error.
FAULTS = {"crash": "decoder_crashed", "hang": "limit_exceeded", "exhaust memory": "limit_exceeded"}

ALIAS = "live"


@pytest.fixture(scope="module")
def hostile_stack(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose decoder workers have the fault in a recording's title, and a deadline of two seconds."""
    with localstack(tmp_path_factory.mktemp("hostile-logs")) as address:
        stack = deploy(address)
        wait_until_idle(stack)  # S3's test event: a new environment ends running calls
        set_environment(stack, PYTHONPATH=str(ROOT / "tests" / "hostile"), AQSCORE_MAX_DECODE_S="2")
        yield stack


def set_environment(stack: Stack, **more: str) -> None:
    """Publishes a version of the function with more variables, and points the alias of the queue at it."""
    version = stack.publish(more)
    stack.lambda_.update_alias(FunctionName=stack.function_name, Name=ALIAS, FunctionVersion=version)


def test_each_gets_an_error_record_and_the_others_their_scores(
    hostile_stack: Stack, speech: np.ndarray
) -> None:
    """All at once: the batch of a killed function would stay hidden for half an hour."""
    stack = hostile_stack
    bodies = {f"{fault}.wav": titled(fault, speech) for fault in FAULTS}
    bodies |= {f"good-{number}.wav": wav_bytes(speech) for number in range(len(FAULTS))}
    versions = {key: stack.upload(key, body) for key, body in bodies.items()}
    for fault, kind in FAULTS.items():
        key = f"{fault}.wav"
        record = stack.wait_for_result(key, versions[key])
        assert (record["error"]["type"], record["error"]["retryable"]) == (kind, False)
    for number in range(len(FAULTS)):
        key = f"good-{number}.wav"
        assert stack.wait_for_result(key, versions[key])["score"]
    wait_until_idle(stack)
    attributes = stack.sqs.get_queue_attributes(
        QueueUrl=stack.dead_letter_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "0"
