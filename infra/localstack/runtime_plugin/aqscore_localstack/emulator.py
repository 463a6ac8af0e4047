"""One function behind AWS's Runtime Interface Emulator: the common base of both executors."""

import json
import os
import socket
import time
from abc import abstractmethod
from pathlib import Path

import requests
from localstack import config
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import (
    LambdaRuntimeException,
    RuntimeExecutor,
)

from aqscore_localstack.environments import environments

LOOPBACK = "127.0.0.1"
# The emulator itself ends a call at the function's timeout. The executor waits this much longer.
GRACE_S = 10
START_LIMIT_S = 15


class EmulatorExecutor(RuntimeExecutor):
    """An execution environment: one emulator, which starts the function and passes it one event at a time.

    Writes its log into the folder ``AQSCORE_LOG_FOLDER`` of LocalStack's environment. Subclasses start the
    emulator (``launch``), check whether it still runs (``_exit_reason``) and stop it (``stop``).
    """

    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id, function_version)
        name = function_version.id.function_name
        self.log_path = Path(os.environ["AQSCORE_LOG_FOLDER"]) / f"{name}-{id[:8]}.log"
        self.port, self.runtime_api_port = _free_ports(2)

    def start(self, env_vars: dict[str, str]) -> None:
        """Starts the emulator and returns when it responds.

        Raises LambdaRuntimeException when it ends, or doesn't respond within START_LIMIT_S seconds.
        """
        environments.launch(self, {name: str(value) for name, value in env_vars.items()})
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            if reason := self._exit_reason():
                raise LambdaRuntimeException(
                    f"The Runtime Interface Emulator of {self.function_version.id.function_name} "
                    f"ended while it started ({reason}). Its log: {self.log_path}"
                )
            try:
                # Any HTTP response proves that the emulator listens; a connection alone doesn't, since a
                # container's published port accepts before. This path has no handler: the response is 404.
                requests.get(f"http://{LOOPBACK}:{self.port}/", timeout=1)
                return
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise LambdaRuntimeException(
                        f"The Runtime Interface Emulator did not respond within {START_LIMIT_S} s. "
                        f"Its log: {self.log_path}"
                    ) from None
                time.sleep(0.05)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Passes one event to the function. A failure of the function gives a result with is_error set."""
        request_id = payload["invoke-id"]
        logged_before = len(self.get_logs())
        headers = {"X-Amzn-RequestId": request_id, "X-Amzn-Trace-Id": payload["trace-id"]}
        try:
            answer = requests.post(
                f"http://{LOOPBACK}:{self.port}/2015-03-31/functions/function/invocations",
                data=payload["payload"].encode(),
                headers=headers,
                timeout=self.function_version.config.timeout + GRACE_S,
            )
        except requests.RequestException as error:
            # Raising makes LocalStack stop this environment and start another one for the retry.
            raise LambdaRuntimeException(
                f"The Runtime Interface Emulator gave no response ({error}). Its log: {self.log_path}"
            ) from error
        body, is_error = _read_answer(answer, request_id)
        logs = self.get_logs()[logged_before:]
        return InvocationResult(request_id, body, is_error=is_error, logs=logs)

    def get_logs(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def get_address(self) -> str:
        return LOOPBACK

    def get_endpoint_from_executor(self) -> str:
        return LOOPBACK

    def get_runtime_endpoint(self) -> str:
        """The address for LocalStack's own runtime client, which the emulator doesn't use."""
        return f"http://{LOOPBACK}:{config.GATEWAY_LISTEN[0].port}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Raises LambdaRuntimeException, when the function is created, if this executor can't run it."""
        image_config = function_version.config.image_config
        if not image_config or not image_config.command:
            raise LambdaRuntimeException(
                f"Function {function_version.id.function_name} names no handler. Expected PackageType "
                "Image with ImageConfig.Command set to the handler, e.g. [aqscore.aws.handler.handler]."
            )

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Does nothing: this executor keeps nothing for a version."""

    @property
    def handler(self) -> str:
        """The handler in the template, e.g. ``aqscore.aws.handler.handler``."""
        return self.function_version.config.image_config.command[0]

    def emulator_options(self) -> list[str]:
        """The emulator's options for its two listeners: free ports instead of the fixed defaults."""
        return [
            "--runtime-interface-emulator-address",
            f"{LOOPBACK}:{self.port}",
            "--runtime-api-address",
            f"{LOOPBACK}:{self.runtime_api_port}",
        ]

    @abstractmethod
    def launch(self, env: dict[str, str]) -> None:
        """Starts the emulator with this environment, writing to self.log_path."""

    @abstractmethod
    def _exit_reason(self) -> str | None:
        """The reason why the emulator doesn't run, or None while it runs."""


def _read_answer(answer: requests.Response, request_id: str) -> tuple[bytes, bool]:
    """The emulator's response -> (payload as Lambda would return it, whether it is an error).

    The emulator's status is 200 in nearly every case:
      the handler returned       200, its JSON
      the handler raised         200, {"errorMessage": ..., "errorType": ..., ...}
      the call ran out of time   200, plain text
      the process died           502, {"errorType": "Runtime.ExitError", "errorMessage": ...}
    """
    try:
        value = answer.json()
    except requests.JSONDecodeError:
        text = f"{request_id} {answer.text.strip()}"
        timed_out = "timed out" in text
        error_type = "Sandbox.Timedout" if timed_out else "Runtime.InvalidResponse"
        return json.dumps({"errorType": error_type, "errorMessage": text}).encode(), True
    raised = isinstance(value, dict) and "errorMessage" in value and "errorType" in value
    return answer.content, raised or not answer.ok


def _free_ports(count: int) -> list[int]:
    """Free ports. All stay open until the last one is found, so that they differ."""
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
