"""Recordings that crash, hang or bloat their decoder, through the queue: each costs itself alone."""

from collections.abc import Iterator

import numpy as np
import pytest

from infra.localstack.server import localstack
from infra.localstack.stack import Stack, deploy
from tests.conftest import ROOT, wav_bytes
from tests.e2e.conftest import wait_until_idle
from tests.recordings import titled

# What tests/hostile/sitecustomize.py does to the decoder -> the type of the recording's error.
DEEDS = {"crash": "decoder_crashed", "hang": "limit_exceeded", "eat": "limit_exceeded"}

ALIAS = "live"


@pytest.fixture(scope="module")
def hostile_stack(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose decoders do what a recording's title says, and may take two seconds for it."""
    with localstack(tmp_path_factory.mktemp("hostile-logs")) as address:
        stack = deploy(address)
        wait_until_idle(stack)  # S3's test event is through: a new environment ends what is at work
        give_environment(stack, PYTHONPATH=str(ROOT / "tests" / "hostile"), AQSCORE_MAX_DECODE_S="2")
        yield stack


def give_environment(stack: Stack, **more: str) -> None:
    """Makes a version of the function with these variables too, and the one that the queue calls."""
    version = stack.publish(more)
    stack.lambda_.update_alias(FunctionName=stack.function_name, Name=ALIAS, FunctionVersion=version)


def test_each_has_its_error_record_and_the_others_their_scores(
    hostile_stack: Stack, speech: np.ndarray
) -> None:
    """At once: a batch whose function had died would stay hidden for half an hour, the visibility timeout."""
    stack = hostile_stack
    bodies = {f"{deed}.wav": titled(deed, speech) for deed in DEEDS}
    bodies |= {f"good-{number}.wav": wav_bytes(speech) for number in range(len(DEEDS))}
    versions = {key: stack.upload(key, body) for key, body in bodies.items()}
    for deed, kind in DEEDS.items():
        key = f"{deed}.wav"
        record = stack.wait_for_result(key, versions[key])
        assert (record["error"]["type"], record["error"]["retryable"]) == (kind, False)
    for number in range(len(DEEDS)):
        key = f"good-{number}.wav"
        assert stack.wait_for_result(key, versions[key])["score"]
    wait_until_idle(stack)
    attributes = stack.sqs.get_queue_attributes(
        QueueUrl=stack.dead_letter_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "0"
