"""The HTTPS API without buckets: posted recordings, options, and errors as RFC 9457 documents."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fastapi.testclient import TestClient

from aqscore.audio.worker_pool import default_pool
from aqscore.config import ScorerConfig
from aqscore.http import app
from aqscore.http.app import create_app
from aqscore.http.capacity import MAX_SCORES
from aqscore.limits import Limits
from aqscore.report import Report
from tests.conftest import EXAMPLES, ROOT
from tests.recordings import by_ffmpeg, titled

CLEAN = (EXAMPLES / "clean.flac").read_bytes()
LONG_KEY = '{"bucket": "b", "key": "' + 700 * "é" + '"}'  # in bytes, not in characters
JSON = {"Content-Type": "application/json"}


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
    assert answer.json()["source"]["file"] == "通话 1.flac"


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


def test_a_channel_is_chosen(client):
    assert client.post("/v1/scores", params={"channels": 1}, content=CLEAN).status_code == 200
    problem(client.post("/v1/scores", params={"channels": 2}, content=CLEAN), 400, "bad_request")


def test_a_track_is_chosen(client):
    assert client.post("/v1/scores", params={"track": 1}, content=CLEAN).json()["media"]["track"] == 1
    problem(client.post("/v1/scores", params={"track": 2}, content=CLEAN), 400, "bad_request")


@pytest.mark.parametrize(
    "query",
    [
        {"channels": "all"},
        {"channels": 0},
        {"start": -1},
        {"start": "nan"},
        {"start": "1e305"},
        {"end": "inf"},
        {"end": 1e10},
        {"frames": "perhaps"},
        {"track": 0},
        {"track": "first"},
    ],
)
def test_options_out_of_range_are_rejected(client, query):
    problem(client.post("/v1/scores", params=query, content=CLEAN), 422, "invalid_request")


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("frame=false", "query.frame: unknown parameter, expected `frames`?"),
        ("Channels=split", "query.Channels: unknown parameter, expected `channels`?"),
        (
            "zzz=1",
            "query.zzz: unknown parameter, expected one of: channels, end, frames, start, store, track",
        ),
        ("start=1&start=2", "query.start: given more than once"),
    ],
)
def test_an_unknown_or_repeated_parameter_is_rejected_with_the_nearest_name(client, query, detail):
    assert (
        problem(client.post(f"/v1/scores?{query}", content=CLEAN), 422, "invalid_request")["detail"] == detail
    )


def test_routes_without_parameters_reject_all_but_those_of_a_presigned_request(client):
    assert "expected none" in problem(client.get("/v1/model?a=1"), 422, "invalid_request")["detail"]
    assert client.get("/v1/model?X-Amz-Signature=0&x-amz-date=0").status_code == 200


@pytest.mark.parametrize("seconds", ["1e-300", "0.000001", "1e9", "999999999.9"])
def test_times_of_any_size_are_answered(client, seconds):
    """Times at the ends of the range, with sample rates that don't divide them."""
    for name in ("start", "end"):
        answer = client.post(f"/v1/scores?{name}={seconds}", content=CLEAN)
        assert answer.status_code in (200, 400), answer.text


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


def form(disposition: str, content: bytes = CLEAN) -> dict:
    """A form with one part, as options of a request."""
    head = f"--b\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
    kind = "multipart/form-data; boundary=b"
    return {"content": head + content + b"\r\n--b--\r\n", "headers": {"Content-Type": kind}}


@pytest.mark.parametrize(
    ("disposition", "content", "said"),
    [
        ('form-data; name="file"', CLEAN[:9], "has no file name"),
        ("form-data; name=\"file\"; filename*=UTF-8''caf%C3%A9.flac", CLEAN[:9], "`filename*` is not read"),
        ('form-data; name="file"', b"x" * 250_000, "has no file name"),
        ('form-data; filename="a.flac"', CLEAN, 'field "name"'),
        ("", CLEAN, 'field "name"'),
    ],
)
def test_a_part_that_is_no_file_is_explained(client, disposition, content, said):
    answer = client.post("/v1/scores", **form(disposition, content))
    document = problem(answer, 400, "bad_request")
    assert said.replace('\\"', '"') in document["detail"]
    assert "curl -F file=@" in document["advice"]


def test_a_large_part_without_a_file_name_is_explained():
    answer = TestClient(create_app(ScorerConfig())).post(
        "/v1/scores", **form('form-data; name="file"', b"x" * 2_000_000)
    )
    assert "A part without a file name is text" in problem(answer, 400, "bad_request")["detail"]


def test_two_files_are_rejected(client):
    answer = client.post("/v1/scores", files=[("file", ("a", b"1")), ("file", ("b", b"2"))])
    problem(answer, 400, "bad_request")


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary="é"']
)
def test_a_form_that_is_malformed_is_rejected(client, kind):
    headers = {"Content-Type": kind.encode("latin-1")}
    problem(client.post("/v1/scores", content=b"--b\r\n", headers=headers), 400, "bad_request")


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("path", ["/v1/scores", "/v1/uploads"])
def test_a_json_body_has_a_limit_of_its_own(client, path, declared):
    body = b'{"bucket": "' + b"b" * 64_000 + b'"}'
    content = body if declared else iter([body])
    answer = client.post(path, content=content, headers=JSON)
    assert "64,000" in problem(answer, 413, "limit_exceeded")["detail"]


@pytest.mark.parametrize("length", ["9" * 18, "9" * 5_000])
def test_an_absurd_content_length_is_rejected(client, length):
    answer = client.post("/v1/scores", content=b"x", headers={"Content-Length": length})
    problem(answer, 413, "limit_exceeded")


@pytest.mark.parametrize(
    "body", ["{}", "[]", "nonsense", '{"bucket": "b"}', '{"bucket": "b", "key": ""}', LONG_KEY]
)
def test_a_json_body_that_names_nothing_is_rejected(client, body):
    answer = client.post("/v1/scores", content=body, headers=JSON)
    problem(answer, 400, "bad_request")


def test_routes_that_need_buckets_are_not_offered_without(client):
    problem(client.post("/v1/uploads", json={"filename": "a.wav", "size": 5}), 501, "not_offered")
    problem(client.get(f"/v1/scores/{'0' * 32}"), 501, "not_offered")


@pytest.mark.parametrize("size", ["0", "-1", '"a"', "1e400", "9" * 5_000, "null"])
def test_an_upload_of_no_size_is_rejected(client, size):
    body = f'{{"filename": "a.wav", "size": {size}}}'
    problem(client.post("/v1/uploads", content=body, headers=JSON), 422, "invalid_request")


def test_a_request_that_takes_longer_than_it_may_names_uploads(monkeypatch, speech):
    default_pool.close()  # earlier workers don't have tests/hostile in their path
    monkeypatch.syspath_prepend(ROOT / "tests" / "hostile")
    client = TestClient(create_app(ScorerConfig(), time_limit_s=lambda _: 0.3))
    document = problem(client.post("/v1/scores", content=titled("hang", speech)), 422, "out_of_time")
    assert "/v1/uploads" in document["advice"]
    default_pool.close()  # and later ones must not


def test_no_more_recordings_are_scored_at_once_than_there_is_memory_for(monkeypatch):
    """The others get a Retry-After, and health answers meanwhile."""
    score, started, release = app.score_recording, threading.Semaphore(0), threading.Event()

    def score_later(*arguments):
        started.release()
        release.wait()
        return score(*arguments)

    monkeypatch.setattr(app, "score_recording", score_later)
    with TestClient(create_app(ScorerConfig())) as client, ThreadPoolExecutor(MAX_SCORES) as threads:
        waiting = [threads.submit(client.post, "/v1/scores", content=CLEAN) for _ in range(MAX_SCORES)]
        for _ in waiting:
            started.acquire()
        try:
            refused = client.post("/v1/scores", content=CLEAN)
            problem(refused, 503, "busy")
            assert int(refused.headers["Retry-After"]) > 0
            assert client.get("/v1/health").status_code == 200
        finally:
            release.set()
        assert {each.result().status_code for each in waiting} == {200}
        assert client.post("/v1/scores", content=CLEAN).status_code == 200


def test_the_time_of_a_request_begins_before_its_body():
    scored = []
    client = TestClient(create_app(ScorerConfig(), time_limit_s=lambda _: 0.0, on_scored=scored.append))
    problem(client.post("/v1/scores", content=CLEAN), 422, "out_of_time")
    assert scored == []


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
