"""The reference of the API and the page behind a stage of API Gateway: files, policy, requests, promises."""

import threading
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import expect
from starlette.types import Receive, Scope, Send

from aqscore.config import ScorerConfig
from aqscore.http.app import create_app
from infra.waiting import wait_until

STAGE = "/live"


@pytest.fixture(scope="module")
def staged() -> Iterator[str]:
    """The address of the API behind a stage. As with API Gateway, the application's paths are without it."""
    app = create_app(ScorerConfig())

    async def behind_stage(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(STAGE)
        await app(scope | {"path": path, "raw_path": path.encode()}, receive, send)

    config = uvicorn.Config(behind_stage, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, "the application to start", 30)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}{STAGE}"
    server.should_exit = True
    thread.join()


def test_the_reference_works_behind_a_stage_and_asks_no_other_server(browser, staged):
    page = browser.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{staged}/docs")
    page.locator("#operations-Service-getHealth .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table").first).to_contain_text('"status": "ok"')
    expect(page.locator(".request-url").first).to_contain_text(f"{staged}/v1/health")
    assert said == []
    assert all(url.startswith((staged, "data:")) for url in asked)
    page.close()


def test_the_page_behind_a_stage_does_not_promise_that_recordings_stay_here(browser, staged):
    """As through a signing proxy on this machine, which sends recordings to AWS."""
    page = browser.new_page()
    page.goto(f"{staged}/")
    expect(page.locator("#start")).to_contain_text("Recordings go only to this service, 127.0.0.1.")
