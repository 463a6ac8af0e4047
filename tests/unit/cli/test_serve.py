"""aqscore serve: the socket that it listens on, and what to do where that is impossible."""

import os
import socket
import subprocess
import sys

import httpx2
import pytest

from aqscore.cli.serve import address_of, listen
from aqscore.errors import SetupError
from infra.waiting import wait_until
from tests.conftest import ROOT

LIMIT_S = 120


def test_a_busy_port_is_named_with_one_that_is_free():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SetupError, match=f"Port {port} of 127.0.0.1 is in use") as raised:
            listen("127.0.0.1", port)
    advised = int(raised.value.advice.rpartition(" ")[2])
    listen("127.0.0.1", advised).close()


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_named(host):
    with pytest.raises(SetupError, match=f"{host} is no address of this machine") as raised:
        listen(host, 0)
    assert "0.0.0.0" in raised.value.advice


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")]
)
def test_the_address_is_one_that_a_browser_can_open(host, url):
    if ":" in host and not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        listener = listen(host, 0)
    except SetupError:
        if ":" not in host:
            raise
        pytest.skip("this machine has no IPv6 address")
    with listener:
        assert address_of(listener) == f"http://{url}:{listener.getsockname()[1]}/"


def test_the_command_opens_the_browser_on_the_page_and_ends_quietly_on_ctrl_c(tmp_path):
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.new && mv {opened}.new {opened}\n')
    browser.chmod(0o755)
    with subprocess.Popen(
        [sys.executable, "-m", "aqscore", "serve", "--port", "0", "--open", "--log-level", "critical"],
        cwd=ROOT / "function",
        env=os.environ | {"BROWSER": str(browser)},
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            wait_until(lambda: opened.exists() or server.poll() is not None, "the browser", LIMIT_S)
            url = opened.read_text().strip()
            assert httpx2.get(url, timeout=LIMIT_S).status_code == 200
            server.send_signal(2)
            _, errors = server.communicate(timeout=LIMIT_S)
        finally:
            server.kill()
    assert server.returncode == 0
    assert errors == f"aqscore listens on {url} (Ctrl-C ends it)\n"


def test_the_command_says_what_to_do_about_a_busy_port():
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = subprocess.run(
            [sys.executable, "-m", "aqscore", "serve", "--port", str(other.getsockname()[1])],
            cwd=ROOT / "function",
            capture_output=True,
            text=True,
        )
    assert done.returncode == 2
    assert (
        "in use" in done.stderr and "aqscore serve --port " in done.stderr and "Traceback" not in done.stderr
    )
