"""`sam local start-api` with the real image: what a developer has on a laptop. Needs a container engine."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from function.report import Report
from infra.localstack.install import SAM
from infra.waiting import wait_until
from tests.conftest import EXAMPLES

START_LIMIT_S = 120


@pytest.fixture(scope="module")
def api(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A client of the running API."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    log_path = tmp_path_factory.mktemp("sam") / "start-api.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [SAM, "local", "start-api", "--template", built, "--port", str(port), "--skip-pull-image"],
            env=os.environ
            | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "eu-central-1"}
            | {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=START_LIMIT_S) as client:
        try:
            wait_until(
                lambda: answers(client, process), f"sam local start-api (log: {log_path})", START_LIMIT_S
            )
            yield client
        finally:
            process.terminate()
            process.wait()


def answers(client: httpx2.Client, process: subprocess.Popen) -> bool:
    """Whether the API is up. Raises RuntimeError when it has ended instead."""
    if process.poll() is not None:
        raise RuntimeError(f"sam local start-api ended with status {process.returncode}.")
    try:
        return client.get("/v1/health").status_code == 200
    except httpx2.TransportError:
        return False


def test_a_recording_is_scored(api: httpx2.Client) -> None:
    answer = api.post(
        "/v1/scores?store=false",
        content=(EXAMPLES / "clean.flac").read_bytes(),
        headers={"Content-Type": "audio/flac"},
    )
    assert answer.status_code == 200, answer.text
    assert Report.model_validate(answer.json()).score


def test_an_error_is_a_problem(api: httpx2.Client) -> None:
    answer = api.post("/v1/scores?store=false", content=b"a letter")
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:aqscore:error:unsupported_format")
