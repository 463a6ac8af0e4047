"""Every setting, typed, from the environment."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from function.errors import SetupError

LONGEST_STEM = 1024 - len(".error.json")  # bytes of UTF-8
RUNTIMES = ("onnx", "tensorflow")


@dataclass(frozen=True)
class Limits:
    """What a recording may be. Anything beyond is refused with a clear error, never attempted."""

    max_bytes: int = 400_000_000  # Lambda's /tmp holds 512 MB unless told otherwise
    max_duration_s: float = 12 * 3600.0
    max_channels: int = 16
    min_sample_rate_hz: int = 4_000
    max_sample_rate_hz: int = 384_000
    max_decode_s: float = 450.0  # that the decoder may work on one recording
    max_memory_bytes: int = 256_000_000  # that it may take for it


@dataclass(frozen=True)
class Settings:
    """The function's settings. Each is an environment variable of the same name after ``AQSCORE_``."""

    incoming_bucket: str | None = None
    incoming_prefix: str = ""  # where in it the recordings lie
    results_bucket: str | None = None
    results_prefix: str = ""
    event_bus: str | None = None  # where results are announced, by its name
    topic_arn: str | None = None  # the same, an SNS topic
    cors_origin: str | None = None  # a web site whose pages may call the API
    runtime: str = "onnx"
    threads: int = 1  # 1,769 MB of Lambda memory is one core
    model_dir: Path = Path(__file__).resolve().parent.parent / "model_artifacts"
    limits: Limits = Limits()

    def result_keys(self, key: str) -> tuple[str, str]:
        """Where the results of the recording ``key`` go: its report, and its error record.

        No two keys share any: a recording called NAME.error, whose report would stand where the error
        record of NAME does, gets a ``~`` more, and so does NAME.error~. What is too long for S3 is cut,
        and told apart by its hash.
        """
        stem = (self.results_prefix + re.sub(r"\.error~*$", r"\g<0>~", key)).encode()
        if len(stem) > LONGEST_STEM:
            stem = stem[: LONGEST_STEM - 65] + b"~" + hashlib.sha256(stem).hexdigest().encode()
        name = stem.decode(errors="ignore")
        return f"{name}.json", f"{name}.error.json"

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Reads the ``AQSCORE_*`` variables; what is not set keeps its default.

        Raises SetupError when a value is not a positive number or not one of the known runtimes.
        """

        def text(name: str, default):
            return env.get(f"AQSCORE_{name}") or default

        def number(name: str, default):
            value = text(name, default)
            try:
                value = type(default)(value)
            except ValueError:
                value = 0
            if not 0 < value < float("inf"):
                raise SetupError(f"AQSCORE_{name} is {env[f'AQSCORE_{name}']!r}, expected a number above 0.")
            return value

        runtime = text("RUNTIME", cls.runtime)
        if runtime not in RUNTIMES:
            raise SetupError(f"AQSCORE_RUNTIME is {runtime!r}, expected one of: {', '.join(RUNTIMES)}.")
        return cls(
            incoming_bucket=text("INCOMING_BUCKET", None),
            incoming_prefix=text("INCOMING_PREFIX", cls.incoming_prefix),
            results_bucket=text("RESULTS_BUCKET", None),
            results_prefix=text("RESULTS_PREFIX", cls.results_prefix),
            event_bus=text("EVENT_BUS", None),
            topic_arn=text("TOPIC_ARN", None),
            cors_origin=text("CORS_ORIGIN", None),
            runtime=runtime,
            threads=number("THREADS", cls.threads),
            model_dir=Path(text("MODEL_DIR", cls.model_dir)),
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
