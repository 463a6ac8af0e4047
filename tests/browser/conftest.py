"""The application on a port of its own, and Debian's Chromium under Playwright."""

import shutil
import threading

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request, expect, sync_playwright

from aqscore.config import ScorerConfig
from aqscore.http.app import create_app
from infra.waiting import wait_until
from tests.conftest import ROOT

expect.set_options(timeout=30_000)  # on a busy machine
CHROMIUM = shutil.which("chromium")
SCREENSHOTS = ROOT / "test-results" / "screenshots"
# Without the second to fourth options Chromium calls Google's services at each start.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A fake microphone that beeps, and its permission.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


@pytest.fixture(scope="session")
def address():
    """The address of the application."""
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(ScorerConfig()), host="127.0.0.1", port=0, log_level="warning", lifespan="off"
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, "the application to start", 30)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser():
    """One browser for each module: no other code can use an event loop while Playwright runs."""
    if CHROMIUM is None:
        pytest.skip("There is no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, address):
    """Opens the page. The test fails on errors in its console and on requests to other hosts.

    ``opened.allow("415")`` admits errors with this text: browsers log every answer from 400 on.
    """
    contexts, problems, allowed = [], [], []

    def open_page(url: str = address, **options) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: _check_request(request, (address, url), problems))
        page.goto(url)
        return page

    open_page.allow = allowed.append
    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in problems if not any(each in text for each in allowed)] == []


def _check_request(request: Request, allowed: tuple[str, str], problems: list[str]) -> None:
    if not request.url.startswith((*allowed, "blob:", "data:")):
        problems.append(f"request to {request.url}")


@pytest.fixture
def accessible():
    """Fails on anything that axe finds on the page."""

    def check(page: Page) -> None:
        found = Axe().run(page).response["violations"]
        assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == []

    return check


@pytest.fixture
def screenshot():
    """Saves a screenshot of the page, to be looked at: what is in sight, or all of it."""

    def save(page: Page, name: str, *, full: bool = False) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=full)

    return save
