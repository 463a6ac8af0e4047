"""The HTTPS API without buckets: posted recordings, options, and errors as RFC 9457 documents."""

import json

import numpy as np
import pytest
from fastapi.testclient import TestClient

from aqscore.config import ScorerConfig
from aqscore.http import app
from aqscore.http.app import create_app
from aqscore.limits import Limits
from aqscore.report import Report
from tests.conftest import EXAMPLES, ROOT
from tests.recordings import by_ffmpeg

CLEAN = (EXAMPLES / "clean.flac").read_bytes()


@pytest.fixture
def client():
    served = create_app(ScorerConfig(limits=Limits(max_bytes=300_000)))
    with TestClient(served, raise_server_exceptions=False) as client:
        yield client


def problem(answer, status: int, kind: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["type"] == f"urn:aqscore:error:{kind}"
    assert document["status"] == status
    assert document["detail"] and document["advice"]
    assert document["request_id"] == answer.headers["X-Request-Id"]
    return document


def test_the_body_itself_is_scored(client):
    answer = client.post("/v1/scores", content=CLEAN, headers={"Content-Type": "audio/flac"})
    assert answer.status_code == 200, answer.text
    report = Report.model_validate(answer.json())
    assert report.source.file == "body"
    assert report.score
    assert "Location" not in answer.headers  # there is no bucket to keep it in


@pytest.mark.parametrize(
    ("container", "codec", "rate"), [("ipod", "aac", 16_000), ("webm", "libopus", 48_000)]
)
def test_recordings_of_phones_and_browsers_are_scored(client, speech, container, codec, rate):
    sound = speech if rate == 16_000 else np.repeat(speech, 3)
    answer = client.post("/v1/scores", files={"file": ("a", by_ffmpeg(sound, container, codec, rate=rate))})
    assert answer.status_code == 200, answer.text
    assert answer.json()["score"]


def test_a_forms_file_is_scored_and_named(client):
    answer = client.post("/v1/scores", files={"file": ("通话 1.flac", CLEAN)})
    assert answer.json()["source"] == {"file": "通话 1.flac"}


def test_body_and_form_have_the_same_score(client):
    raw = client.post("/v1/scores", content=CLEAN).json()
    form = client.post("/v1/scores", files={"file": ("a.flac", CLEAN)}).json()
    assert raw["score"] == form["score"]
    assert raw["frames"] == form["frames"]


def test_options(client):
    query = {"channels": "split", "frames": "false", "start": 1, "end": 4}
    report = client.post("/v1/scores", params=query, content=CLEAN).json()
    assert report["frames"] is None
    assert report["media"]["duration_s"] == 3.0
    assert report["timeline"][0]["start_s"] == 1.0
    [channel] = report["channels"]
    assert channel["score"] == report["score"]


@pytest.mark.parametrize(
    "query", [{"channels": "all"}, {"start": -1}, {"start": "nan"}, {"end": "inf"}, {"frames": "perhaps"}]
)
def test_options_out_of_range_are_rejected(client, query):
    problem(client.post("/v1/scores", params=query, content=CLEAN), 422, "invalid_request")


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 400, "empty_file"),
        (b"This is a letter and no recording.", 415, "unsupported_format"),
        (b"x" * 300_001, 413, "limit_exceeded"),
        (CLEAN[:100], 422, "corrupt_audio"),
    ],
)
def test_a_recording_that_cannot_be_scored_has_a_problem_document(client, body, status, kind):
    problem(client.post("/v1/scores", content=body), status, kind)


def test_the_advice_for_a_large_recording_names_uploads(client):
    assert "/v1/uploads" in client.post("/v1/scores", content=b"x" * 300_001).json()["advice"]


def test_a_form_is_rejected_before_it_is_read(client):
    answer = client.post("/v1/scores", files={"file": ("a.wav", b"x" * 320_000)})
    problem(answer, 413, "limit_exceeded")
    assert "The request has 320," in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["audio/wav", "application/json", "multipart/form-data; boundary=b"])
def test_a_body_without_content_length_is_read_up_to_the_limit(client, kind):
    def chunks():
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        for _ in range(4):
            yield b"x" * 100_000

    answer = client.post("/v1/scores", content=chunks(), headers={"content-type": kind})
    assert "content-length" not in answer.request.headers
    problem(answer, 413, "limit_exceeded")


def test_a_part_that_ends_before_it_begins_is_rejected(client):
    problem(client.post("/v1/scores", params={"start": 2, "end": 1}, content=CLEAN), 400, "bad_request")


def test_a_form_without_a_file_is_rejected(client):
    answer = client.post("/v1/scores", files={"other": ("a.flac", CLEAN)})
    assert "`file`" in problem(answer, 400, "bad_request")["detail"]


@pytest.mark.parametrize("body", ["{}", "[]", "nonsense", '{"bucket": "b"}', '{"bucket": "b", "key": ""}'])
def test_a_json_body_that_names_nothing_is_rejected(client, body):
    answer = client.post("/v1/scores", content=body, headers={"Content-Type": "application/json"})
    problem(answer, 400, "bad_request")


def test_routes_that_need_buckets_are_not_offered_without(client):
    problem(client.post("/v1/uploads", json={"filename": "a.wav", "size": 5}), 501, "not_offered")
    problem(client.get(f"/v1/scores/{'0' * 32}"), 501, "not_offered")


def test_an_unknown_path_is_a_problem_too(client):
    problem(client.get("/v2/everything"), 404, "http_error")


def test_an_unexpected_error_shows_no_stack(client, monkeypatch):
    monkeypatch.setattr(app, "score_recording", lambda *_, **__: 1 / 0)
    answer = client.post("/v1/scores", content=CLEAN)
    assert answer.status_code == 500
    assert "division" not in answer.text
    assert answer.json()["type"] == "urn:aqscore:error:internal_error"


@pytest.mark.parametrize("allowed", [None, "https://example.org"])
def test_pages_of_other_sites_may_call_only_if_allowed(allowed):
    headers = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    client = TestClient(create_app(ScorerConfig(), cors_origin=allowed))
    answer = client.options("/v1/scores", headers=headers)
    assert answer.headers.get("access-control-allow-origin") == allowed


def test_health_and_model(client):
    assert client.get("/v1/health").json() == {"status": "ok"}
    assert client.get("/v1/model").json()["scale"] == "PESQ-WB MOS-LQO"


def test_the_committed_contract_is_current():
    committed = json.loads((ROOT / "docs" / "openapi.json").read_text())
    assert committed == create_app(ScorerConfig()).openapi(), (
        "Update it: python -m aqscore.http.app > docs/openapi.json"
    )
