"""Runs LocalStack as a process of this machine for the duration of a ``with`` block."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from infra.localstack.install import EMULATOR, LOCALSTACK_PYTHON, ROOT
from infra.waiting import wait_until

HOST = "127.0.0.1"
START_LIMIT_S = 60
STOP_LIMIT_S = 15

SETTINGS = {
    "SERVICES": "s3,sqs,lambda,apigateway,iam,sts,logs,events,sns,cloudformation,cloudwatch",
    "EAGER_SERVICE_LOADING": "0",
    "GATEWAY_SERVER": "hypercorn",  # LocalStack's default server needs a root certificate of its own
    "SQS_ENDPOINT_STRATEGY": "path",  # queue URLs with an address: host names would need DNS
    "DNS_ADDRESS": "0",
    # No telemetry, no search for updates, no download of a certificate.
    "DISABLE_EVENTS": "1",
    "SKIP_SSL_CERT_DOWNLOAD": "1",
    # Seconds. AWS's own pauses are longer, and would dominate the time of the tests.
    "LAMBDA_RETRY_BASE_DELAY": "1",
    "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.1",
    "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "1",
    "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC": "1",
}
# Variables that LocalStack inherits, besides the function's settings (AQSCORE_...). Proxies, AWS profiles and
# LocalStack's own settings of the caller are left out.
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "DOCKER_HOST", "CONTAINERS_CONF")


@contextmanager
def localstack(
    log_folder: Path, mode: Literal["process", "container"] = "process", host: str = HOST
) -> Iterator[str]:
    """Runs LocalStack and yields its address. Stops it and all its functions at the end of the block.

    ``mode`` selects how functions run: as processes of this machine, or in containers of their image. The
    logs of LocalStack and of every function's process go into ``log_folder``. At another ``host`` than the
    loopback address LocalStack offers only S3, since access to its Lambda is access to this machine.

    Raises RuntimeError when LocalStack isn't installed or doesn't start.
    """
    if not LOCALSTACK_PYTHON.exists() or not EMULATOR.exists():
        raise RuntimeError(
            f"LocalStack is not installed in {LOCALSTACK_PYTHON.parents[1].relative_to(ROOT)}. "
            "Install it: python -m infra.localstack.install localstack"
        )
    log_folder = log_folder.absolute()
    log_folder.mkdir(parents=True, exist_ok=True)
    log_path = log_folder / "localstack.log"
    address = f"{host}:{_free_port(host)}"
    with tempfile.TemporaryDirectory(prefix="aqscore-localstack-") as state, log_path.open("wb") as log:
        process = subprocess.Popen(
            [LOCALSTACK_PYTHON, "-m", "aqscore_localstack"],
            cwd=state,
            env=_environment(address, mode, log_folder, state),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches only this process, which then stops LocalStack
        )
        try:
            _wait_until_up(process, address, log_path)
            yield f"http://{address}"
        finally:
            _stop(process)


def _environment(address: str, mode: str, log_folder: Path, state: str) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if name in INHERITED or name.startswith("AQSCORE_")
    }
    return {
        **inherited,
        **SETTINGS,
        "SERVICES": SETTINGS["SERVICES"] if address.startswith(f"{HOST}:") else "s3",
        "GATEWAY_LISTEN": address,
        "LOCALSTACK_HOST": address,
        "FILESYSTEM_ROOT": state,
        "LAMBDA_RUNTIME_EXECUTOR": f"aqscore-{mode}",
        "AQSCORE_EMULATOR": str(EMULATOR),
        "AQSCORE_PYTHON": sys.executable,
        "AQSCORE_TASK_ROOT": str(ROOT),
        "AQSCORE_LOG_FOLDER": str(log_folder),
    }


def _wait_until_up(process: subprocess.Popen, address: str, log_path: Path) -> None:
    def is_up() -> bool:
        if process.poll() is not None:
            raise RuntimeError(
                f"LocalStack ended while it started (exit status {process.returncode}). Its log: {log_path}"
            )
        connection = http.client.HTTPConnection(address, timeout=1)
        try:
            connection.request("GET", "/_localstack/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    try:
        wait_until(is_up, f"LocalStack on {address}", START_LIMIT_S)
    except TimeoutError as error:
        raise RuntimeError(f"{error} Its log: {log_path}") from None


def _stop(process: subprocess.Popen) -> None:
    """Closes LocalStack's standard input, which ends all its processes; kills them after STOP_LIMIT_S."""
    if process.stdin:
        process.stdin.close()
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_LIMIT_S)
    finally:
        if process.poll() is None:
            # Its emulators are in its process group; a handler ends when its emulator ends.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as listener:
        return listener.getsockname()[1]
