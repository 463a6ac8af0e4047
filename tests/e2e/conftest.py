"""The whole stack: template.yaml in LocalStack, and the real function behind AWS's emulator."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aqscore.config import ScorerConfig
from infra.image.base import base_image
from infra.localstack.install import EMULATOR, LOCALSTACK_PYTHON, ROOT, SAM
from infra.localstack.server import localstack
from infra.localstack.stack import Stack, deploy
from infra.soak.chaos import shorten_retries
from infra.waiting import Backlog, wait_until

IDLE_LIMIT_S = 30


@pytest.fixture(scope="session")
def installed() -> None:
    if not (LOCALSTACK_PYTHON.exists() and EMULATOR.exists()):
        pytest.skip("LocalStack is not installed: python -m infra.localstack.install localstack")


@pytest.fixture(scope="session")
def stack(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all tests, each with its own keys. AQSCORE_RUNTIME selects the runtime."""
    logs = tmp_path_factory.mktemp("logs")
    print(f"The logs of LocalStack and the function: {logs}")
    with localstack(logs) as address:
        stack = deploy(address, runtime=ScorerConfig.from_env().runtime)
        stack.start_function()
        yield stack


@pytest.fixture(scope="session")
def built(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template that `sam build` writes, with the name of the image that it built."""
    ping = subprocess.run(
        [LOCALSTACK_PYTHON, "-c", "import docker; docker.from_env().ping()"], capture_output=True
    )
    if ping.returncode != 0:
        pytest.skip("no container engine is running: start Docker, or podman's service and set DOCKER_HOST")
    if not SAM.exists():
        pytest.skip("the SAM CLI is not installed: python -m infra.localstack.install sam")
    folder = tmp_path_factory.mktemp("build")
    runtime = ScorerConfig.from_env().runtime
    # With AQSCORE_BASE_IMAGE, another image stands in for the pinned one.
    template = tmp_path_factory.mktemp("source") / "template.yaml"
    arguments = "DockerBuildArgs: {"
    text = (ROOT / "template.yaml").read_text()
    assert text.count(arguments) == 1
    template.write_text(text.replace(arguments, f"{arguments}BASE: '{base_image()}', "))
    done = subprocess.run(
        [SAM, "build", "--no-cached", "--parameter-overrides", f"Runtime={runtime}", "--build-dir", folder]
        + ["--template-file", template, "--base-dir", ROOT],
        cwd=ROOT,
        env=os.environ | {"SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "template.yaml"


@pytest.fixture
def send(stack: Stack) -> Callable[..., None]:
    """Sends messages to the queue and waits until all are processed: ``send({...}, "text")``."""

    def send(*bodies: dict | str) -> None:
        entries = [
            {"Id": str(i), "MessageBody": body if isinstance(body, str) else json.dumps(body)}
            for i, body in enumerate(bodies)
        ]
        sent = stack.sqs.send_message_batch(QueueUrl=stack.queue_url, Entries=entries)
        assert len(sent["Successful"]) == len(bodies)
        wait_until_idle(stack)

    return send


@pytest.fixture
def quick_retries(stack: Stack) -> Iterator[None]:
    """Two attempts three seconds apart; the template has five in two and a half hours."""
    names = ["VisibilityTimeout", "RedrivePolicy"]
    answer = stack.sqs.get_queue_attributes(QueueUrl=stack.queue_url, AttributeNames=names)
    shorten_retries(stack, hidden_s=3, attempts=2)
    yield
    stack.sqs.set_queue_attributes(QueueUrl=stack.queue_url, Attributes=answer["Attributes"])


@pytest.fixture
def backfill(stack: Stack) -> Callable[..., subprocess.CompletedProcess]:
    """Runs ``python -m infra.backfill`` against the stack."""

    def backfill(*options: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "infra.backfill", *options],
            cwd=ROOT,
            env=os.environ
            | {"AWS_ENDPOINT_URL": stack.address, "AWS_DEFAULT_REGION": "eu-central-1", "NO_PROXY": "*"}
            | {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "COLUMNS": "120"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    return backfill


def wait_until_idle(stack: Stack) -> None:
    """Waits until the queue is empty, with no message in flight or hidden."""
    wait_until(Backlog(stack.sqs, stack.queue_url).is_cleared, "the queue to be empty", IDLE_LIMIT_S)
