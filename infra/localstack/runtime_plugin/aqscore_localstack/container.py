"""Container mode: the function's own image, through the Docker API (Docker or podman)."""

import docker
from docker.models.containers import Container
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException

from aqscore_localstack.emulator import EmulatorExecutor

# Where AWS's base images keep them.
EMULATOR = "/usr/local/bin/aws-lambda-rie"
BOOTSTRAP = "/var/runtime/bootstrap"
STOP_LIMIT_S = 2


class ContainerExecutor(EmulatorExecutor):
    """The image's own emulator and bootstrap, in a container with the function's memory limit.

    The container shares the host's network: the function reaches LocalStack on 127.0.0.1, as in process mode,
    and the emulator gets free ports instead of the image's fixed 8080.
    """

    container: Container | None = None

    def launch(self, env: dict[str, str]) -> None:
        self.container = docker.from_env().containers.run(
            self.function_version.config.image.image_uri,
            entrypoint=[EMULATOR, *self.emulator_options(), BOOTSTRAP],
            command=[self.handler],
            # AWS's entry point sets _HANDLER, and this one replaces it.
            environment=env | {"_HANDLER": self.handler},
            network_mode="host",
            mem_limit=f"{self.function_version.config.memory_size}m",
            read_only=True,  # as in Lambda: only /tmp can be written
            tmpfs={"/tmp": ""},
            labels={"aqscore": "localstack"},
            detach=True,
        )

    def _exit_reason(self) -> str | None:
        if self.container is None:
            return "not started"
        self.container.reload()
        if self.container.status != "exited":
            return None
        self.log_path.write_text(self.get_logs())
        return f"exit status {self.container.attrs['State']['ExitCode']}"

    def get_logs(self) -> str:
        if self.container is None:
            return ""
        return self.container.logs().decode(errors="replace")

    def stop(self) -> None:
        """Stops the container and removes it; its log stays in the log folder."""
        if self.container is None:
            return
        self.log_path.write_text(self.get_logs())
        self.container.stop(timeout=STOP_LIMIT_S)
        self.container.remove(force=True)

    @classmethod
    def validate_environment(cls) -> bool:
        """True when a container engine is running. Raises LambdaRuntimeException otherwise."""
        try:
            return docker.from_env().ping()
        except docker.errors.DockerException as error:
            raise LambdaRuntimeException(
                f"No container engine is running ({error}). Start Docker or podman's service, set "
                "DOCKER_HOST to its socket, or use process mode, which needs none."
            ) from error
