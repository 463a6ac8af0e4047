"""The whole stack: template.yaml in LocalStack, the real function behind AWS's emulator, S3 over HTTP."""

import json
from collections.abc import Callable, Iterator

import pytest

from function.settings import Settings
from infra.localstack.install import EMULATOR, LOCALSTACK_PYTHON
from infra.localstack.server import localstack
from infra.localstack.stack import Stack, deploy
from infra.waiting import wait_until

IDLE_LIMIT_S = 30


@pytest.fixture(scope="session")
def installed() -> None:
    if not (LOCALSTACK_PYTHON.exists() and EMULATOR.exists()):
        pytest.skip("LocalStack is not installed: python -m infra.localstack.install localstack")


@pytest.fixture(scope="session")
def stack(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all tests: each keeps to keys of its own. AQSCORE_RUNTIME picks its runtime."""
    logs = tmp_path_factory.mktemp("logs")
    print(f"The logs of LocalStack and the function: {logs}")
    with localstack(logs) as address:
        stack = deploy(address, runtime=Settings.from_env().runtime)
        stack.start_function()
        yield stack


@pytest.fixture
def send(stack: Stack) -> Callable[..., None]:
    """Puts messages into the queue and waits until all are dealt with: ``send({...}, "text")``."""

    def send(*bodies: dict | str) -> None:
        entries = [
            {"Id": str(i), "MessageBody": body if isinstance(body, str) else json.dumps(body)}
            for i, body in enumerate(bodies)
        ]
        sent = stack.sqs.send_message_batch(QueueUrl=stack.queue_url, Entries=entries)
        assert len(sent["Successful"]) == len(bodies)
        wait_until_idle(stack)

    return send


def wait_until_idle(stack: Stack) -> None:
    """Returns when the queue is empty, with nothing in work and nothing waiting for another try."""
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def is_idle() -> bool:
        answer = stack.sqs.get_queue_attributes(QueueUrl=stack.queue_url, AttributeNames=counts)
        return all(count == "0" for count in answer["Attributes"].values())

    wait_until(is_idle, "the queue to be empty", IDLE_LIMIT_S)
