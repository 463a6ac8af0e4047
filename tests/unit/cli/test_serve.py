"""aqscore serve: the names of the server that it accepts."""

import socket

import pytest
import uvicorn
from fastapi.testclient import TestClient

from aqscore.cli.main import main


@pytest.fixture
def served(monkeypatch):
    """``served("--port", "1")``: a client of the application that the command would serve."""
    apps = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **_: apps.append(app))

    def served(*arguments: str) -> TestClient:
        assert main(["serve", *arguments]) == 0
        return TestClient(apps[-1])

    return served


def status(client: TestClient, host: str) -> int:
    return client.get("/v1/health", headers={"Host": host}).status_code


def test_a_page_whose_name_resolves_to_this_machine_is_rejected(served):
    """DNS rebinding: the browser takes this server for the page's own origin."""
    client = served()
    assert status(client, "evil.example") == 403
    for host in ("127.0.0.1:8000", "localhost:8000", "[::1]:8000", socket.gethostname()):
        assert status(client, host) == 200


def test_other_names_can_be_allowed(served):
    client = served(
        "--host", "0.0.0.0", "--allow-host", "scores.example.org", "--allow-host", "b.example.org"
    )
    assert status(client, "192.0.2.7") == 200
    assert status(client, "scores.example.org") == status(client, "b.example.org:443") == 200
    assert status(client, "evil.example") == 403
    assert "--allow-host" in client.get("/", headers={"Host": "evil.example"}).json()["advice"]
