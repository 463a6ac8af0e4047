"""The settings of the stack, from the environment."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aqscore.config import ScorerConfig

LONGEST_STEM = 1024 - len(".error.json")  # bytes of UTF-8


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
    scorer: ScorerConfig = ScorerConfig()

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

        def text(name: str, default: Any) -> Any:
            return env.get(f"AQSCORE_{name}") or default

        return cls(
            incoming_bucket=text("INCOMING_BUCKET", None),
            incoming_prefix=text("INCOMING_PREFIX", cls.incoming_prefix),
            results_bucket=text("RESULTS_BUCKET", None),
            results_prefix=text("RESULTS_PREFIX", cls.results_prefix),
            event_bus=text("EVENT_BUS", None),
            topic_arn=text("TOPIC_ARN", None),
            cors_origin=text("CORS_ORIGIN", None),
            scorer=ScorerConfig.from_env(env),
        )
