"""infra.localstack.server stops every process that it starts."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.localstack import server
from infra.localstack.install import ROOT
from infra.waiting import wait_until

END_LIMIT_S = 30
RUN_THE_STACK = """
import sys, threading
from pathlib import Path
from infra.localstack.server import localstack
from infra.localstack.stack import deploy

with localstack(Path(sys.argv[1])) as address:
    deploy(address).start_function()
    print("up", flush=True)
    threading.Event().wait()
"""


def processes_with(log_folder: Path) -> set[int]:
    """LocalStack, emulators and handlers of one run, recognised by the folder in their environment."""
    found = set()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(log_folder).encode() in environment.read_bytes():
                found.add(int(environment.parent.name))
        except OSError:
            continue  # the process has ended meanwhile
    return found


@pytest.fixture
def starter(installed: None, tmp_path: Path) -> Iterator[subprocess.Popen]:
    """A Python process inside ``with localstack(tmp_path)`` that has called the function once."""
    command = [sys.executable, "-c", RUN_THE_STACK, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        yield process
        process.kill()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL], ids=lambda sign: sign.name)
def test_no_process_outlives_its_starter(
    starter: subprocess.Popen, tmp_path: Path, sign: signal.Signals
) -> None:
    assert starter.stdout.readline() == b"up\n"
    assert len(processes_with(tmp_path)) >= 3  # LocalStack, emulator, handler
    starter.send_signal(sign)
    starter.wait(END_LIMIT_S)
    wait_until(lambda: not processes_with(tmp_path), "all processes to end", END_LIMIT_S)


def test_a_failed_start_names_the_log(
    installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(server.SETTINGS, "GATEWAY_SERVER", "no-such-server")
    with (
        pytest.raises(RuntimeError, match=r"ended while it started .*localstack\.log"),
        server.localstack(tmp_path),
    ):
        pytest.fail("LocalStack started in spite of a wrong setting")
    assert "no-such-server" in (tmp_path / "localstack.log").read_text()
    assert not processes_with(tmp_path)
