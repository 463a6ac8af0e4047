"""Runs the function's image in containers with Lambda's limits. Needs an engine: Docker or podman."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from functools import cache

from benchmarks.measuring import HANDLER_ENVIRONMENT
from infra.image.base import base_image
from infra.localstack.install import ROOT

MEMORY_MB = 1769  # one core, and the template's default
MB_PER_CORE = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
RESPONSE_LIMIT_S = 120
EMULATOR, BOOTSTRAP = "/usr/local/bin/aws-lambda-rie", "/var/runtime/bootstrap"
INVOKE = "2015-03-31/functions/function/invocations"


@cache
def command() -> str | None:
    """The command of the first engine that can run the base image, or None."""
    for name in filter(shutil.which, ("docker", "podman")):
        trial = [name, "run", "--rm", "--entrypoint", "true", base_image()]
        if subprocess.run(trial, capture_output=True).returncode == 0:
            return name
    return None


def _engine() -> str:
    """The engine's command. Raises RuntimeError where there is none."""
    if (name := command()) is None:
        raise RuntimeError("No container engine is running. Start Docker or podman.")
    return name


@cache
def image(runtime: str) -> str:
    """Builds the image of a runtime and returns its name. The engine's cache makes a second build quick."""
    name = f"localhost/aqscore-bench:{runtime}"
    done = subprocess.run(
        [_engine(), "build", "--network=host", "--build-arg", f"BASE={base_image()}", "--quiet",
         "--file", "function/Dockerfile", "--target", runtime, "--tag", name, "."],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"The image for {runtime} could not be built: {done.stderr}")
    return name


def size_bytes(name: str) -> int:
    """Unpacked size of an image."""
    return int(output("image", "inspect", "--format", "{{.Size}}", name))


def run(name: str, code: str, *options: str, memory_mb: int = MEMORY_MB) -> dict:
    """Runs Python code in a container without a network; returns the JSON that it prints."""
    return json.loads(
        output(
            "run", "--rm", "--network", "none", *_limits(memory_mb), *_environment(HANDLER_ENVIRONMENT),
            "--env", "PYTHONPATH=/var/task", *options, "--entrypoint", "python3", name, "-c", code,
        )
    )  # fmt: skip


def start_and_invoke(name: str, event: dict, environment: Mapping[str, str]) -> tuple[float, dict]:
    """Starts a container behind AWS's Runtime Interface Emulator and sends it one event.

    Returns the seconds from the start to the response, and the response.
    """
    port, runtime_port = _free_ports(2)
    started = time.perf_counter()
    container = output(
        "run", "--rm", "--detach", "--network", "host", *_limits(MEMORY_MB),
        *_environment({**HANDLER_ENVIRONMENT, **environment, "_HANDLER": "aqscore.aws.handler.handler"}),
        "--entrypoint", EMULATOR, name,
        "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
        "--runtime-api-address", f"127.0.0.1:{runtime_port}", BOOTSTRAP,
    )  # fmt: skip
    try:
        response = _post(f"http://127.0.0.1:{port}/{INVOKE}", event, started + RESPONSE_LIMIT_S)
        return time.perf_counter() - started, response
    finally:
        subprocess.run([_engine(), "kill", container], capture_output=True, check=True)


def _limits(memory_mb: int) -> list[str]:
    """Lambda's limits: memory, the share of a core that comes with it, and a file system with only /tmp."""
    cores = f"{memory_mb / MB_PER_CORE:.3f}"
    return ["--memory", f"{memory_mb}m", "--cpus", cores, "--read-only", "--tmpfs", "/tmp"]


def _environment(values: Mapping[str, str]) -> list[str]:
    return [option for name, value in values.items() for option in ("--env", f"{name}={value}")]


def _post(url: str, event: dict, deadline: float) -> dict:
    """Posts the event, again until the emulator listens. Raises RuntimeError if the function failed."""
    request = urllib.request.Request(url, json.dumps(event).encode())
    while True:
        try:
            with urllib.request.urlopen(request, timeout=RESPONSE_LIMIT_S) as response:
                body = json.load(response)
            break
        except OSError:
            if time.perf_counter() > deadline:
                raise
            time.sleep(0.005)
    if "errorMessage" in body:
        raise RuntimeError(f"The function in the container failed: {body['errorMessage']}")
    return body


def output(*arguments: str) -> str:
    """Runs the engine's command with these arguments and returns its standard output."""
    done = subprocess.run([_engine(), *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [listener.getsockname()[1] for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()
