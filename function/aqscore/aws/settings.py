"""The settings of the stack, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aqscore.config import ScorerConfig
from aqscore.errors import BadRequest, SetupError
from aqscore.pipeline import Channels, channels_from


@dataclass(frozen=True)
class Settings:
    """The function's settings. Each is an environment variable of the same name after ``AQSCORE_``."""

    incoming_bucket: str | None = None
    incoming_prefix: str = ""  # only recordings under it are scored
    results_bucket: str | None = None
    results_prefix: str = ""
    event_bus: str | None = None  # the name of the bus that gets a notification of each result
    topic_arn: str | None = None  # the same, an SNS topic
    cors_origin: str | None = None  # the origin of the web pages that may call the API
    max_deliveries: int | None = None  # by the queue, after which a message becomes a dead letter
    channels: Channels = "mix"  # that are scored of a recording in a bucket
    track: int | None = None  # the audio track to score of such a recording, from 1; None as in ScoreOptions
    scorer: ScorerConfig = ScorerConfig()

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Reads the ``AQSCORE_*`` variables; an unset or empty one keeps its default.

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
            max_deliveries=_whole_number("AQSCORE_MAX_DELIVERIES", env),
            channels=_channels("AQSCORE_CHANNELS", env),
            track=_whole_number("AQSCORE_TRACK", env),
            scorer=ScorerConfig.from_env(env),
        )


def _whole_number(name: str, env: Mapping[str, str]) -> int | None:
    """The variable's value, None where it is unset or empty. Raises SetupError unless it is from 1."""
    text = env.get(name)
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise SetupError(f"{name} is {text!r}, expected a whole number from 1.")
    return int(text)


def _channels(name: str, env: Mapping[str, str]) -> Channels:
    """The variable's channels, the mix where it is unset or empty. Raises SetupError for anything else."""
    text = env.get(name) or "mix"
    try:
        return channels_from(text)
    except BadRequest:
        raise SetupError(
            f"{name} is {text!r}, expected mix, split or the number of a channel, from 1."
        ) from None
