"""Headers of all answers, HEAD requests, redirects, and the check of Host."""

import pytest
from fastapi.testclient import TestClient

from aqscore.config import ScorerConfig
from aqscore.http import app as app_module
from aqscore.http.app import create_app
from tests.conftest import EXAMPLES
from tests.unit.http.memory_store import ORIGIN, MemoryStore

CLEAN = (EXAMPLES / "clean.flac").read_bytes()
PATHS = ("/", "/docs", "/openapi.json", "/v1/health", "/v1/model", "/page/page.css", "/nothing")


def client_of(**options) -> TestClient:
    return TestClient(create_app(ScorerConfig(), **options), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client() -> TestClient:
    return client_of(store=MemoryStore({}))


def assert_safe(answer) -> None:
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "https:;" not in policy
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_the_security_headers(client, path):
    assert_safe(client.get(path))


def test_errors_have_the_security_headers(client, monkeypatch):
    assert_safe(client.post("/v1/scores", content=b"a letter"))
    assert_safe(client.put("/v1/scores"))
    monkeypatch.setattr(app_module, "score_recording", lambda *_, **__: 1 / 0)
    answer = client.post("/v1/scores", content=CLEAN)
    assert answer.status_code == 500
    assert_safe(answer)


def test_an_unexpected_error_is_visible_to_pages_of_the_allowed_site(monkeypatch):
    monkeypatch.setattr(app_module, "score_recording", lambda *_, **__: 1 / 0)
    client = client_of(cors_origin="https://example.org")
    answer = client.post("/v1/scores", content=CLEAN, headers={"Origin": "https://example.org"})
    assert answer.status_code == 500
    assert answer.headers["Access-Control-Allow-Origin"] == "https://example.org"


@pytest.mark.parametrize(("store", "sources"), [(MemoryStore({}), f"'self' {ORIGIN}"), (None, "'self'")])
def test_the_page_connects_to_its_own_origin_and_to_the_upload_bucket(store, sources):
    policy = client_of(store=store).get("/").headers["Content-Security-Policy"]
    [connections] = [part for part in policy.split("; ") if part.startswith("connect-src")]
    assert connections == f"connect-src {sources}"


@pytest.mark.parametrize("path", PATHS)
def test_head_answers_as_get_without_a_body(client, path):
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize("path", ["/v1/health/", "/v1/scores/", "/docs/", "/page", "/page/"])
def test_nothing_redirects(client, path):
    answer = client.get(path, headers={"Host": "evil.example"}, follow_redirects=False)
    assert answer.status_code in (404, 405)
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("host", "accepted"),
    [
        ("localhost", True),
        ("LOCALHOST:8000", True),
        ("127.0.0.1:8000", True),
        ("192.0.2.7", True),
        ("[::1]:8000", True),
        ("evil.example", False),
        ("evil.example:8000", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
    ],
)
def test_a_server_with_names_rejects_others(host, accepted):
    answer = client_of(host_names=["localhost"]).get("/v1/health", headers={"Host": host})
    assert answer.status_code == (200 if accepted else 403)
    assert_safe(answer)
