"""`sam local` with the real image, as on a developer's machine. Needs a container engine."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from aqscore.report import Report
from infra.localstack.install import SAM
from infra.sam_local import KEY, RESULTS, SamLocal, sam_local
from infra.waiting import wait_until
from tests.conftest import EXAMPLES, ROOT

START_LIMIT_S = 120
# Sample event -> the outcome in its response, and whether it stores a result.
EVENTS: list[tuple[str, Any, bool]] = [
    ("direct", KEY, True),
    ("eventbridge", "scored", True),
    ("s3", "scored", True),
    ("s3_batch_1_0", "Succeeded", True),
    ("s3_batch_2_0", "Succeeded", True),
    ("sqs_s3", [], True),
    ("sqs_sns_s3", [], True),
    ("s3_test_event", {"results": []}, False),
    ("function_url", 200, False),
    ("http_api", 200, False),
    ("rest_api", 200, False),
]


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


def test_an_error_is_a_problem_document(api: httpx2.Client) -> None:
    answer = api.post("/v1/scores?store=false", content=b"a letter")
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:aqscore:error:unsupported_format")


@pytest.fixture(scope="module")
def function(built: Path) -> Iterator[SamLocal]:
    with sam_local(built) as function:
        yield function


def outcome(answer: Any) -> Any:
    """The outcome in a response, which depends on the source of the event."""
    match answer:
        case {"results": [{"state": said}]} | {"results": [{"resultCode": said}]} | {"states": [said]}:
            return said
        case {"source": {"key": said}, "score": float()} | {"statusCode": said} | {"batchItemFailures": said}:
            return said
    return answer


@pytest.mark.parametrize(("event", "expected", "scored"), EVENTS)
def test_every_sample_event_is_answered(function: SamLocal, event: str, expected: Any, scored: bool) -> None:
    function.s3.delete_object(Bucket=RESULTS, Key=f"{KEY}.json")
    answer = function.invoke(json.loads((ROOT / "tests" / "events" / f"{event}.json").read_text()))
    assert outcome(answer) == expected
    written = function.s3.list_objects_v2(Bucket=RESULTS).get("Contents", [])
    assert [each["Key"] for each in written] == ([f"{KEY}.json"] if scored else [])


def test_every_sample_event_is_tested() -> None:
    assert {name for name, *_ in EVENTS} == {path.stem for path in (ROOT / "tests/events").glob("*.json")}
