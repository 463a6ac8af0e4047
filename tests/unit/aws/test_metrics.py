"""aqscore.aws.metrics: log lines and metrics about a file, without its content."""

import json
import logging
import re
import subprocess
import sys

import pytest

from aqscore.aws import metrics
from aqscore.aws.advice import ADVICE
from aqscore.config import ScorerConfig
from aqscore.errors import EmptyFile, OutOfTime, StorageUnavailable, UnreadableEvent
from aqscore.pipeline import score_file
from aqscore.report import Cause, ErrorRecord, ObjectSource, Report
from tests.conftest import EXAMPLES, ROOT

SOURCE = {"bucket": "in", "key": "calls/录音.wav", "version_id": "v1", "etag": None}


@pytest.fixture(autouse=True)
def in_lambda(monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "aqscore-score")


@pytest.fixture(scope="module")
def report() -> Report:
    with (EXAMPLES / "clean.flac").open("rb") as file:
        scored = dict(score_file(file, ScorerConfig()))
    noise = Cause(kind="noise", share=0.5, severity=1.2, from_s=0, to_s=2)
    return Report(source=ObjectSource(bucket="in", key="k"), **(scored | {"causes": [noise]}))


def emitted(capsys) -> list[tuple[dict, dict]]:
    """(dimensions, values) of each line in the embedded format."""
    found = []
    for line in capsys.readouterr().out.splitlines():
        document = json.loads(line)
        [directive] = document["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "aqscore"
        [names] = directive["Dimensions"]
        values = {each["Name"]: document[each["Name"]] for each in directive["Metrics"]}
        found.append(({name: document[name] for name in names}, {n: v[0] for n, v in values.items()}))
    return found


def test_a_scored_file_has_its_score_and_duration_as_metrics(capsys, caplog, report):
    caplog.set_level(logging.INFO, "aqscore")
    metrics.record_processed("scored", SOURCE, 0.25, report, age_s=1.5)
    assert emitted(capsys) == [
        (
            {"FunctionName": "aqscore-score"},
            {
                "FilesScored": 1,
                "ProcessingTime": 250,
                "Latency": 1500,
                "AudioSeconds": report.media.duration_s,
                "Score": report.score,
            },
        )
    ]
    [line] = caplog.records
    assert (line.key, line.version_id, line.score) == (SOURCE["key"], "v1", report.score)
    assert (line.mos, line.cause) == (report.mos, "noise")
    assert not hasattr(line, "etag")


def test_a_report_without_a_score_adds_no_score_metric(capsys, report):
    silent = report.model_copy(update={"score": None, "verdict": None})
    metrics.record_processed("scored", SOURCE, 0.1, silent, age_s=None)
    [(_, values)] = emitted(capsys)
    assert values["FilesWithoutScore"] == 1
    assert values.keys().isdisjoint({"Score", "Latency"})


def test_errors_are_counted_by_type(capsys, caplog):
    refused = ErrorRecord.of(EmptyFile("The file is empty."), ObjectSource(bucket="in", key="k"))
    metrics.record_processed("refused", SOURCE, 0.1, refused, age_s=-0.2)
    metrics.record_failed(StorageUnavailable("S3 is unavailable."), SOURCE, 0.1)
    metrics.record_failed(ZeroDivisionError("x"), SOURCE, 0.1)
    metrics.record_postponed(OutOfTime("2 s are needed."), SOURCE)
    found = emitted(capsys)
    kinds = [dimensions["ErrorType"] for dimensions, _ in found if "ErrorType" in dimensions]
    assert kinds == ["empty_file", "storage_unavailable", "ZeroDivisionError"]
    counts = [name for _, values in found for name in values if name.startswith("Files")]
    assert counts == ["FilesRefused", "FilesFailed", "FilesFailed", "FilesPostponed"]
    assert [bool(record.exc_info) for record in caplog.records if record.levelname == "ERROR"] == [
        False,
        True,
    ]


def test_every_logger_of_the_package_writes_json():
    """In a process of its own, because pytest replaces the handlers of loggers."""
    code = (
        "import logging; from aqscore.aws import metrics; metrics.log_as_json(); "
        "logging.getLogger('aqscore.aws.s3').warning('S3 failed', extra={'key': 'a.wav'}); "
        "logging.getLogger('aqscore.http.problems').error('Request failed')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "function", capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("WARNING", "S3 failed"),
        ("ERROR", "Request failed"),
    ]
    assert lines[0]["key"] == "a.wav"


def test_the_log_of_an_error_has_its_advice(caplog):
    metrics.record_error("Event refused", UnreadableEvent("Unknown."), {})
    [line] = caplog.records
    assert (line.error_type, line.error_advice) == ("unreadable_event", ADVICE[UnreadableEvent])


def test_outside_lambda_there_are_no_metrics(capsys, monkeypatch):
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    metrics.record_processed("duplicate", SOURCE, 0.1, None, age_s=None)
    assert capsys.readouterr().out == ""


def test_the_documentation_names_every_metric():
    text = (ROOT / "docs" / "operations.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", text, flags=re.M)) >= metrics.UNITS.keys()
