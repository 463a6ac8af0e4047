"""aqscore.aws.settings: typed settings from the environment, and clear errors for wrong ones."""

from dataclasses import asdict
from pathlib import Path

import pytest

from aqscore.aws.settings import Settings
from aqscore.config import ScorerConfig
from aqscore.errors import SetupError
from aqscore.limits import Limits
from tests.conftest import ROOT


def test_unset_variables_keep_the_defaults():
    assert Settings.from_env({}) == Settings()


def test_each_variable_reaches_its_setting():
    assert Settings.from_env(
        {
            "AQSCORE_INCOMING_BUCKET": "in",
            "AQSCORE_INCOMING_PREFIX": "calls/",
            "AQSCORE_RESULTS_BUCKET": "out",
            "AQSCORE_RESULTS_PREFIX": "scores/",
            "AQSCORE_EVENT_BUS": "default",
            "AQSCORE_TOPIC_ARN": "arn:aws:sns:eu-central-1:123456789012:results",
            "AQSCORE_CORS_ORIGIN": "https://example.org",
            "AQSCORE_MAX_DELIVERIES": "5",
            "AQSCORE_CHANNELS": "2",
            "AQSCORE_TRACK": "3",
            "AQSCORE_RUNTIME": "tensorflow",
            "AQSCORE_THREADS": "2",
            "AQSCORE_MODEL_DIR": "/models/a",
            "AQSCORE_MAX_BYTES": "1000",
            "AQSCORE_MAX_DURATION_S": "60.5",
            "AQSCORE_MAX_CHANNELS": "2",
            "AQSCORE_MIN_SAMPLE_RATE_HZ": "8000",
            "AQSCORE_MAX_SAMPLE_RATE_HZ": "48000",
            "AQSCORE_MAX_DECODE_S": "30",
            "AQSCORE_MAX_MEMORY_BYTES": "100000000",
        }
    ) == Settings(
        incoming_bucket="in",
        incoming_prefix="calls/",
        results_bucket="out",
        results_prefix="scores/",
        event_bus="default",
        topic_arn="arn:aws:sns:eu-central-1:123456789012:results",
        cors_origin="https://example.org",
        max_deliveries=5,
        channels=2,
        track=3,
        scorer=ScorerConfig(
            runtime="tensorflow",
            threads=2,
            model_dir=Path("/models/a"),
            limits=Limits(
                max_bytes=1000,
                max_duration_s=60.5,
                max_channels=2,
                min_sample_rate_hz=8000,
                max_sample_rate_hz=48_000,
                max_decode_s=30.0,
                max_memory_bytes=100_000_000,
            ),
        ),
    )


@pytest.mark.parametrize("value", ["many", "-1", "0", "nan", "inf", "1e13"])
def test_the_error_names_a_wrong_number(value):
    with pytest.raises(SetupError, match="AQSCORE_MAX_DURATION_S is"):
        Settings.from_env({"AQSCORE_MAX_DURATION_S": value})


@pytest.mark.parametrize("value", ["1.5", "1e6", "0", str(10**13)])
def test_a_whole_number_is_expected_where_parts_make_no_sense(value):
    with pytest.raises(SetupError, match="AQSCORE_MAX_CHANNELS is .*, expected a whole number above 0"):
        Settings.from_env({"AQSCORE_MAX_CHANNELS": value})


def test_the_error_names_a_wrong_runtime():
    with pytest.raises(SetupError, match="expected one of: onnx, tensorflow"):
        Settings.from_env({"AQSCORE_RUNTIME": "torch"})


def test_every_limit_is_documented_with_its_default():
    text = (ROOT / "docs" / "operations.md").read_text()
    for limit, default in asdict(Limits()).items():
        assert f"| `AQSCORE_{limit.upper()}` | {default:,.0f} |" in text


@pytest.mark.parametrize("value", ["0", "-1", "left", "1.5"])
def test_the_error_names_wrong_channels(value):
    with pytest.raises(SetupError, match="AQSCORE_CHANNELS is .*expected mix, split or the number"):
        Settings.from_env({"AQSCORE_CHANNELS": value})
