"""The configuration of a scorer: model, runtime, threads and limits, from arguments or the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from aqscore.errors import SetupError
from aqscore.limits import Limits

Runtime = Literal["onnx", "tensorflow"]
RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)
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


@dataclass(frozen=True)
class ScorerConfig:
    """Everything that a scorer needs to know, and nothing about where recordings come from."""

    model_dir: Path = shipped_model()
    runtime: Runtime = "onnx"
    threads: int = 1  # 1,769 MB of Lambda memory is one core
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        _check_runtime("The runtime", self.runtime)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "ScorerConfig":
        """Reads the ``AQSCORE_*`` variables; an unset or empty one keeps its default.

        Raises SetupError when a value is not a positive number or not one of the known runtimes.
        """

        def number(name: str, default: Any) -> Any:
            text = env.get(f"AQSCORE_{name}")
            if not text:
                return default
            try:
                value = type(default)(text)
            except ValueError:
                value = 0
            if not 0 < value < float("inf"):
                raise SetupError(f"AQSCORE_{name} is {text!r}, expected a number above 0.")
            return value

        runtime = env.get("AQSCORE_RUNTIME") or cls.runtime
        _check_runtime("AQSCORE_RUNTIME", runtime)
        return cls(
            model_dir=Path(env.get("AQSCORE_MODEL_DIR") or cls.model_dir),
            runtime=cast(Runtime, runtime),
            threads=number("THREADS", cls.threads),
            limits=Limits(
                max_bytes=number("MAX_BYTES", Limits.max_bytes),
                max_duration_s=number("MAX_DURATION_S", Limits.max_duration_s),
                max_channels=number("MAX_CHANNELS", Limits.max_channels),
                min_sample_rate_hz=number("MIN_SAMPLE_RATE_HZ", Limits.min_sample_rate_hz),
                max_sample_rate_hz=number("MAX_SAMPLE_RATE_HZ", Limits.max_sample_rate_hz),
                max_decode_s=number("MAX_DECODE_S", Limits.max_decode_s),
                max_memory_bytes=number("MAX_MEMORY_BYTES", Limits.max_memory_bytes),
            ),
        )
