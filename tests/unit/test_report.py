"""report.py: the published schema is the code's own, and the words fit the numbers."""

import json

import pytest

from aqscore.aws import notifications as announcements
from aqscore.errors import EmptyFile, StorageUnavailable
from aqscore.report import WARNINGS, ErrorRecord, FileSource, json_schema, warning
from aqscore.scale import verdict_of
from tests.conftest import ROOT


def test_the_published_schema_is_the_codes_own():
    published = json.loads((ROOT / "docs" / "report-v1.schema.json").read_text())
    assert published == json_schema(), "Regenerate it: python -m aqscore.report > docs/report-v1.schema.json"


@pytest.mark.parametrize(
    ("score", "verdict"),
    [
        (1.04, "bad"),
        (1.99, "bad"),
        (2.0, "poor"),
        (2.75, "fair"),
        (3.5, "good"),
        (3.999, "good"),
        (4.64, "excellent"),
    ],
)
def test_verdicts_begin_at_their_thresholds(score, verdict):
    assert verdict_of(score) == verdict


def test_every_warning_can_be_filled_in():
    values = {
        "min_duration_s": 0.5, "share": 0.1, "bandwidth_hz": 4_000, "duration_s": 3.0,
        "level_dbfs": -60.0, "hop_s": 0.032
    }  # fmt: skip
    for code in WARNINGS:
        assert "{" not in warning(code, **values).message


@pytest.mark.parametrize(
    ("error", "retryable"), [(EmptyFile("No bytes."), False), (StorageUnavailable("503"), True)]
)
def test_an_error_record_says_what_to_do(error, retryable):
    record = ErrorRecord.of(error, FileSource(file="a.wav"))
    assert record.error.type == error.type
    assert record.error.advice
    assert record.error.retryable is retryable


def test_the_published_schema_of_announcements_is_the_codes_own():
    published = json.loads((ROOT / "docs" / "announcement-v1.schema.json").read_text())
    hint = "Regenerate it: python -m aqscore.aws.notifications > docs/announcement-v1.schema.json"
    assert published == announcements.json_schema(), hint
