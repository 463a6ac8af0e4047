"""infra.image.base: the base image is pinned by digest, and a command renews it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from infra.image.base import DOCKERFILE, base_image, current_digest, renewed

DIGEST = "sha256:" + 64 * "a"


@pytest.fixture
def registry() -> Iterator[str]:
    """The address of a registry with one image, which wants a token."""

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            assert self.path == "/token/?scope=repository:lambda/python:pull"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"token": "any"}).encode())

        def do_HEAD(self) -> None:  # noqa: N802
            allowed = self.headers["Authorization"] == "Bearer any" and "index" in self.headers["Accept"]
            self.send_response(200 if allowed and self.path == "/v2/lambda/python/manifests/3.13" else 404)
            self.send_header("Docker-Content-Digest", DIGEST)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_base_image_is_pinned(monkeypatch):
    monkeypatch.delenv("AQSCORE_BASE_IMAGE", raising=False)
    assert "python:3.13@sha256:" in base_image()
    monkeypatch.setenv("AQSCORE_BASE_IMAGE", "localhost/python")
    assert base_image() == "localhost/python"


def test_the_command_pins_the_digest_that_the_tag_has_now(registry):
    text = DOCKERFILE.read_text()
    assert DIGEST not in text
    pinned = renewed(text, current_digest(registry, "lambda/python", "3.13"))
    assert f"python:3.13@{DIGEST}\n" in pinned
    assert renewed(pinned, DIGEST) == pinned
    assert len(pinned.splitlines()) == len(text.splitlines())


def test_an_answer_that_is_no_digest_is_rejected():
    with pytest.raises(ValueError, match="expected a SHA-256"):
        renewed(DOCKERFILE.read_text(), "sha256:abc\nRUN evil")
