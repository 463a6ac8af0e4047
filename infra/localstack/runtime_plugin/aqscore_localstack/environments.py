"""Keeps track of the running execution environments, so that none outlives LocalStack."""

import threading
from contextlib import suppress
from typing import Protocol


class Environment(Protocol):
    """One emulator with one function: a runtime executor in LocalStack's terms."""

    def launch(self, env: dict[str, str]) -> None: ...

    def stop(self) -> None: ...


class Environments:
    """Launches environments, and stops all of them at the end."""

    def __init__(self) -> None:
        self._launched: list[Environment] = []
        self._ending = False
        self._lock = threading.Lock()

    def launch(self, environment: Environment, env: dict[str, str]) -> None:
        """Launches an environment. Raises RuntimeError after ``end``, so that a retry can't start another."""
        with self._lock:
            if self._ending:
                raise RuntimeError("LocalStack is shutting down: no more environments are started.")
            self._launched.append(environment)  # first, because a launch may fail halfway
            environment.launch(env)

    def end(self) -> None:
        """Stops all environments. Stopping one twice does no harm."""
        with self._lock:
            self._ending = True
        for environment in self._launched:
            with suppress(Exception):  # one failure must not keep the others running
                environment.stop()


environments = Environments()
