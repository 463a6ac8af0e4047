"""The configuration of a scorer: model, runtime, threads and limits, from arguments or the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, cast, get_args

from aqscore.errors import SetupError
from aqscore.limits import Limits

Runtime = Literal["onnx", "tensorflow"]
RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)
MAX_LIMIT = 10**12
_PACKAGE = Path(__file__).resolve().parent
# An installed package holds the shipped model; a checkout has it at its top level.
_MODEL_FOLDERS = (_PACKAGE / "model_artifacts", _PACKAGE.parents[1] / "model_artifacts")


def shipped_model() -> Path:
    """The folder of the model that comes with this package."""
    return next((folder for folder in _MODEL_FOLDERS if folder.is_dir()), _MODEL_FOLDERS[0])


def _check_runtime(name: str, value: str) -> None:
    """Raises SetupError for a runtime that is not one of ``RUNTIMES``."""
    if value not in RUNTIMES:
        raise SetupError(f"{name} is {value!r}, expected one of: {', '.join(RUNTIMES)}.")


def _check_number(name: str, value: Any, kind: type) -> None:
    """Raises SetupError for a number that no recording or no system could keep to."""
    whole = kind is int
    if not isinstance(value, int if whole else int | float) or not 0 < value <= MAX_LIMIT:
        expected = "a whole number" if whole else "a number"
        raise SetupError(
            f"{name} is {value!r}, expected {expected} above 0, up to {MAX_LIMIT:,}.",
            advice="Leave it out for its default, or give a large number for no practical limit.",
        )


@dataclass(frozen=True)
class ScorerConfig:
    """Everything that a scorer needs to know, and nothing about where recordings come from.

    Raises SetupError for an unknown runtime, and for a number of threads or a limit that is not above 0 and
    up to ``MAX_LIMIT``.
    """

    model_dir: Path = shipped_model()
    runtime: Runtime = "onnx"
    threads: int = 1  # 1,769 MB of Lambda memory is one core
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        _check_runtime("The runtime", self.runtime)
        _check_number("threads", self.threads, int)
        for limit in fields(Limits):
            kind = type(limit.default)
            _check_number(f"The limit {limit.name}", getattr(self.limits, limit.name), kind)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "ScorerConfig":
        """Reads the ``AQSCORE_*`` variables; an unset or empty one keeps its default.

        Raises SetupError, with the name of the variable, for the values that the constructor rejects.
        """

        def number(name: str, default: Any) -> Any:
            text = env.get(f"AQSCORE_{name}")
            if not text:
                return default
            kind = type(default)
            try:
                value = kind(text)
            except ValueError:
                value = text
            _check_number(f"AQSCORE_{name}", value, kind)
            return value

        runtime = env.get("AQSCORE_RUNTIME") or cls.runtime
        _check_runtime("AQSCORE_RUNTIME", runtime)
        return cls(
            model_dir=Path(env.get("AQSCORE_MODEL_DIR") or cls.model_dir),
            runtime=cast(Runtime, runtime),
            threads=number("THREADS", cls.threads),
            limits=Limits(
                **{limit.name: number(limit.name.upper(), limit.default) for limit in fields(Limits)}
            ),
        )
