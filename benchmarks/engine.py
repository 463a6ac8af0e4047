"""The function's image in containers under Lambda's rules, where there is an engine: Docker or podman."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from functools import cache

from benchmarks.measuring import HANDLER_ENVIRONMENT
from infra.localstack.install import ROOT

MEMORY_MB = 1769  # one core, and the template's default
MB_PER_CORE = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
ANSWER_LIMIT_S = 120
EMULATOR, BOOTSTRAP = "/usr/local/bin/aws-lambda-rie", "/var/runtime/bootstrap"
INVOKE = "2015-03-31/functions/function/invocations"


@cache
def command() -> str | None:
    """The engine's command, None where none runs a container of the base image."""
    for name in filter(shutil.which, ("docker", "podman")):
        trial = [name, "run", "--rm", "--entrypoint", "true", base_of_dockerfile()]
        if subprocess.run(trial, capture_output=True).returncode == 0:
            return name
    return None


@cache
def image(runtime: str) -> str:
    """Builds the image of a runtime and returns its name. What is built already is built in no time."""
    name = f"localhost/aqscore-bench:{runtime}"
    # Podman wants to be told which formats, although the Dockerfile says it.
    arguments = [
        "--build-arg",
        "FORMATS=all",
        "-q",
        "-f",
        "function/Dockerfile",
        "--target",
        runtime,
        "-t",
        name,
        ".",
    ]
    done = subprocess.run(
        [command(), "build", "--network=host", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(f"The image for {runtime} could not be built: {done.stderr}")
    return name


def size_bytes(name: str) -> int:
    """Of an image, unpacked."""
    return int(_output("image", "inspect", "--format", "{{.Size}}", name))


def base_of_dockerfile() -> str:
    """The name of the base image."""
    lines = (ROOT / "function" / "Dockerfile").read_text().splitlines()
    return next(line.removeprefix("ARG BASE=") for line in lines if line.startswith("ARG BASE="))


def run(name: str, code: str, *options: str, memory_mb: int = MEMORY_MB) -> dict:
    """Runs Python code in a container, with no network; returns the JSON that it prints."""
    return json.loads(
        _output(
            "run", "--rm", "--network", "none", *_limits(memory_mb), *_environment(HANDLER_ENVIRONMENT),
            "--env", "PYTHONPATH=/var/task", *options, "--entrypoint", "python3", name, "-c", code,
        )
    )  # fmt: skip


def start_and_invoke(name: str, event: dict, environment: Mapping[str, str]) -> tuple[float, dict]:
    """Starts a container behind AWS's emulator, as Lambda would; seconds until the answer, and the answer."""
    port, runtime_port = _free_ports(2)
    started = time.perf_counter()
    container = _output(
        "run", "--rm", "--detach", "--network", "host", *_limits(MEMORY_MB),
        *_environment({**HANDLER_ENVIRONMENT, **environment, "_HANDLER": "aqscore.aws.handler.handler"}),
        "--entrypoint", EMULATOR, name,
        "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
        "--runtime-api-address", f"127.0.0.1:{runtime_port}", BOOTSTRAP,
    )  # fmt: skip
    try:
        answer = _post(f"http://127.0.0.1:{port}/{INVOKE}", event, started + ANSWER_LIMIT_S)
        return time.perf_counter() - started, answer
    finally:
        subprocess.run([command(), "kill", container], capture_output=True, check=True)


def _limits(memory_mb: int) -> list[str]:
    """Lambda's: memory, the cores that come with it, and nothing to write to but /tmp."""
    cores = f"{memory_mb / MB_PER_CORE:.3f}"
    return ["--memory", f"{memory_mb}m", "--cpus", cores, "--read-only", "--tmpfs", "/tmp"]


def _environment(values: Mapping[str, str]) -> list[str]:
    return [option for name, value in values.items() for option in ("--env", f"{name}={value}")]


def _post(url: str, event: dict, deadline: float) -> dict:
    """Asks again until somebody listens. Raises RuntimeError for an answer that is an error."""
    request = urllib.request.Request(url, json.dumps(event).encode())
    while True:
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_LIMIT_S) as answer:
                found = json.load(answer)
            break
        except OSError:
            if time.perf_counter() > deadline:
                raise
            time.sleep(0.005)
    if "errorMessage" in found:
        raise RuntimeError(f"The function in the container failed: {found['errorMessage']}")
    return found


def _output(*arguments: str) -> str:
    done = subprocess.run([command(), *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [listener.getsockname()[1] for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()
