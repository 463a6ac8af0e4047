"""Process mode: the handler as a process of this machine, in the Python environment of the project."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException

from aqscore_localstack.emulator import EmulatorExecutor

# Variables that the function gets from LocalStack's environment, besides AWS's own and the AQSCORE_...
# settings. The template's variables take precedence.
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")


class ProcessExecutor(EmulatorExecutor):
    """Emulator and handler as processes of the host.

    Reads from LocalStack's environment: ``AQSCORE_EMULATOR`` (the emulator's executable),
    ``AQSCORE_PYTHON`` (the Python that has the function's requirements) and ``AQSCORE_TASK_ROOT``
    (the folder that holds the package, where Lambda has /var/task).
    """

    process: subprocess.Popen | None = None
    _has_served = False

    def launch(self, env: dict[str, str]) -> None:
        task_root = os.environ["AQSCORE_TASK_ROOT"]
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name in INHERITED or name.startswith("AQSCORE_")
        }
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    os.environ["AQSCORE_EMULATOR"],
                    *self.emulator_options(),
                    os.environ["AQSCORE_PYTHON"],
                    "-m",
                    "awslambdaric",
                    self.handler,
                ],
                cwd=task_root,
                env=inherited | env | {"LAMBDA_TASK_ROOT": task_root},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """As the base class, but replaces a handler that died between two events.

        The emulator restarts a handler that dies during an event, but waits forever for one that died between
        events. LocalStack replaces the environment when this method raises.
        """
        if self._has_served and self.process and not psutil.Process(self.process.pid).children():
            raise LambdaRuntimeException(f"The handler died between two events. Its log: {self.log_path}")
        result = super().invoke(payload)
        self._has_served = not result.is_error
        return result

    def _exit_reason(self) -> str | None:
        if self.process is None:
            return "not started"
        status = self.process.poll()
        return None if status is None else f"exit status {status}"

    def stop(self) -> None:
        """Kills the emulator, whose orderly shutdown takes two seconds, and its handler."""
        if self.process is None or self.process.poll() is not None:
            return
        handlers = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        for handler in handlers:
            with suppress(psutil.NoSuchProcess):
                handler.kill()

    @classmethod
    def validate_environment(cls) -> bool:
        """True when the paths in LocalStack's environment exist. Raises LambdaRuntimeException otherwise."""
        for name in ("AQSCORE_EMULATOR", "AQSCORE_PYTHON", "AQSCORE_TASK_ROOT"):
            value = os.environ.get(name)
            if not value or not Path(value).exists():
                raise LambdaRuntimeException(
                    f"{name} is {value!r}, expected a path that exists. infra.localstack.server sets it; "
                    "run LocalStack through it."
                )
        return True
