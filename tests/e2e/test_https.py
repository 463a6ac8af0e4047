"""The HTTPS API through LocalStack's API Gateway, Mangum and the real function.

Authentication is not tested here, since LocalStack allows every call. tests/template checks the template.
"""

import httpx2
import numpy as np
import pytest

from aqscore.report import Report
from infra.localstack.stack import RESULT_LIMIT_S, Stack
from infra.waiting import wait_until
from tests.conftest import EXAMPLES, wav_bytes

CLEAN = (EXAMPLES / "clean.flac").read_bytes()


@pytest.fixture(scope="module")
def client(stack: Stack):
    with httpx2.Client(timeout=60) as client:
        yield client


def test_health_is_ok(client: httpx2.Client, stack: Stack) -> None:
    """Answered by API Gateway: the function's answers have an id of the request."""
    answer = client.get(f"{stack.api_url}/v1/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Request-Id" not in answer.headers


def test_preflight_requests_are_answered_without_the_function(client: httpx2.Client, stack: Stack) -> None:
    answer = client.options(f"{stack.api_url}/v1/scores")
    assert answer.status_code == 204
    assert "X-Request-Id" not in answer.headers


def test_the_reference_is_served_behind_the_stage(client: httpx2.Client, stack: Stack) -> None:
    for path in ("docs", "docs/swagger-ui-bundle.js", "docs/reference.js", "openapi.json"):
        assert client.get(f"{stack.api_url}/{path}").status_code == 200, path
    assert client.head(f"{stack.api_url}/").status_code == 200


def test_a_recording_is_scored_and_its_result_stored(client: httpx2.Client, stack: Stack) -> None:
    answer = client.post(f"{stack.api_url}/v1/scores", content=CLEAN, headers={"Content-Type": "audio/flac"})
    assert answer.status_code == 200, answer.text
    report = Report.model_validate(answer.json())
    assert report.media.container == "FLAC"
    _, _, name = answer.headers["Aqscore-Result"].partition(f"s3://{stack.results_bucket}/")
    assert stack.read_result(name) == answer.json()


def test_a_form_is_scored(client: httpx2.Client, stack: Stack) -> None:
    answer = client.post(f"{stack.api_url}/v1/scores?frames=false", files={"file": ("ä.flac", CLEAN)})
    source = {"file": "ä.flac", "size_bytes": None, "modified": None}  # known of local files only
    assert answer.json()["source"] == source
    assert answer.json()["frames"] is None


def test_errors_are_problem_documents(client: httpx2.Client, stack: Stack) -> None:
    answer = client.post(f"{stack.api_url}/v1/scores", content=b"a letter")
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def test_the_page_is_served(client: httpx2.Client, stack: Stack) -> None:
    page = client.get(f"{stack.api_url}/").text
    assert "Drop recordings or folders here" in page
    assert "class Queue" in page
    assert "AudioWorkletProcessor" in client.get(f"{stack.api_url}/page/recorder.js").text


def test_ten_minutes_are_scored_through_an_upload(
    client: httpx2.Client, stack: Stack, speech: np.ndarray
) -> None:
    recording = wav_bytes(np.tile(speech, 98), subtype="PCM_16")
    assert len(recording) > 19_000_000  # more than the limit of a request
    upload = {"filename": "meeting.wav", "size": len(recording), "content_type": "audio/wav"}
    ticket = client.post(f"{stack.api_url}/v1/uploads", json=upload).json()
    posted = client.post(ticket["url"], data=ticket["fields"], files={"file": ("meeting.wav", recording)})
    assert posted.status_code == 204, posted.text

    def scored() -> dict | None:
        answer = client.get(f"{stack.api_url}{ticket['score_url']}")
        assert answer.status_code in (200, 202), answer.text
        return answer.json() if answer.status_code == 200 else None

    report = wait_until(scored, "the score of the upload", RESULT_LIMIT_S)
    assert report["media"]["duration_s"] == pytest.approx(604.2, abs=0.1)
    assert {"thinned"} <= {warning["code"] for warning in report["warnings"]}


def test_a_page_of_another_site_may_upload(client: httpx2.Client, stack: Stack) -> None:
    """A browser sends a preflight request. LocalStack applies the bucket's CORS rule to other origins."""
    upload = {"filename": "meeting.wav", "size": 9_000_000}
    ticket = client.post(f"{stack.api_url}/v1/uploads", json=upload).json()
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    answer = client.options(ticket["url"], headers=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", "https://example.org")
    answer = client.options(ticket["url"], headers=asked | {"Access-Control-Request-Method": "DELETE"})
    assert answer.status_code == 403
