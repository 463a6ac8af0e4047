"""The execution environments that run, so that none outlives LocalStack."""

import threading
from contextlib import suppress
from typing import Protocol


class Environment(Protocol):
    """What LocalStack calls a runtime executor: one emulator with one function behind it."""

    def launch(self, env: dict[str, str]) -> None: ...

    def stop(self) -> None: ...


class Environments:
    """Launches environments, and at the end stops them all."""

    def __init__(self) -> None:
        self._launched: list[Environment] = []
        self._ending = False
        self._lock = threading.Lock()

    def launch(self, environment: Environment, env: dict[str, str]) -> None:
        """Raises RuntimeError once ``end`` was called: a retry could bring a new one up behind its back."""
        with self._lock:
            if self._ending:
                raise RuntimeError("LocalStack is ending, no more environments are started.")
            self._launched.append(environment)  # first, because a launch may fail halfway
            environment.launch(env)

    def end(self) -> None:
        """Stops all that were launched; those that have been stopped before take no harm."""
        with self._lock:
            self._ending = True
        for environment in self._launched:
            with suppress(Exception):  # one that can't be stopped must not save the others
                environment.stop()


environments = Environments()
