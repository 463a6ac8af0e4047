"""What became of each file, for people and alarms: JSON log lines and CloudWatch metrics (EMF).

Neither ever holds audio, an event's text or a presigned URL. docs/operations.md lists every field and metric.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import logging
import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from aqscore.errors import AqscoreError
from aqscore.report import ErrorRecord, Report, Scored

NAMESPACE = "aqscore"
UNITS = {
    "FilesScored": MetricUnit.Count,
    "FilesRefused": MetricUnit.Count,
    "FilesDuplicate": MetricUnit.Count,
    "FilesSuperseded": MetricUnit.Count,
    "FilesPostponed": MetricUnit.Count,
    "FilesFailed": MetricUnit.Count,
    "FilesWithoutScore": MetricUnit.Count,
    "AudioSeconds": MetricUnit.Seconds,
    "ProcessingTime": MetricUnit.Milliseconds,
    "Latency": MetricUnit.Milliseconds,
    "Score": MetricUnit.NoUnit,
    "Errors": MetricUnit.Count,
    "ColdStarts": MetricUnit.Count,
}

log = logging.getLogger(__name__)


def log_as_json() -> Logger:
    """Makes every logger of this package write JSON lines; the one returned adds a call's request id."""
    return Logger(service="function", utc=True, use_rfc3339=True)


def file_done(state: str, source: dict[str, Any], spent_s: float, document: Any, age_s: float | None) -> None:
    """Reports one file that was dealt with.

    ``state`` is an Outcome's, ``source`` names the object version or the posted file, ``document`` is the
    report or error record if one was made, ``age_s`` the seconds from the upload to the stored result.
    """
    values: dict[str, float] = {f"Files{state.capitalize()}": 1, "ProcessingTime": round(1000 * spent_s)}
    fields: dict[str, Any] = {}
    if age_s is not None:
        values["Latency"] = max(0, round(1000 * age_s))
    if isinstance(document, Scored):
        fields = {"audio_s": document.media.duration_s, "score": document.score, "verdict": document.verdict}
        values["AudioSeconds"] = document.media.duration_s
        if document.score is None:
            values["FilesWithoutScore"] = 1
        else:
            values["Score"] = document.score
    if isinstance(document, ErrorRecord):
        fields = {"error_type": document.error.type, "error_message": document.error.message}
        _emit({"Errors": 1}, ErrorType=document.error.type)
    _emit(values)
    log.info("File %s", state, extra=_known(source) | {"spent_s": round(spent_s, 3)} | fields)


def count_report(report: Report) -> None:
    """Reports one recording that the HTTPS API scored."""
    file_done("scored", report.source.model_dump(), report.timing.total_s, report, age_s=None)


def file_failed(error: Exception, source: dict[str, Any], spent_s: float) -> None:
    """Reports one file that has to be tried again."""
    _emit({"FilesFailed": 1, "ProcessingTime": round(1000 * spent_s)})
    failed("File failed", error, source | {"spent_s": round(spent_s, 3)})


def file_postponed(error: AqscoreError, source: dict[str, Any]) -> None:
    """Reports one file that waits for a call with more time left."""
    _emit({"FilesPostponed": 1})
    log.info("File postponed", extra=_known(source) | {"reason": error.message})


def failed(text: str, error: Exception, fields: dict[str, Any]) -> None:
    """Reports an error: of a file, a message or an event. ``fields`` say of which."""
    foreseen = isinstance(error, AqscoreError)
    kind = error.type if foreseen else type(error).__name__
    _emit({"Errors": 1}, ErrorType=kind)
    details = {"error_type": kind, "error_message": str(error)}
    log.error(text, exc_info=None if foreseen else error, extra=_known(fields) | details)


@cache
def count_cold_start() -> None:
    """Counts a process once: the one call that does anything is its first."""
    _emit({"ColdStarts": 1})


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _emit(values: dict[str, float], **dimensions: str) -> None:
    """One line in the embedded format, under the function's name. Outside Lambda nobody would read it."""
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    if not function:
        return
    metrics = EphemeralMetrics(namespace=NAMESPACE)
    for name, value in ({"FunctionName": function} | dimensions).items():
        metrics.add_dimension(name, value)
    for name, value in values.items():
        metrics.add_metric(name, UNITS[name], value)
    metrics.flush_metrics()
