"""Log lines (JSON) and CloudWatch metrics (EMF) about each file, message and event.

They never contain audio, the text of an event or a presigned URL. docs/operations.md lists all fields and
metrics.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import logging
import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from aqscore.aws.advice import advice_in_aws
from aqscore.errors import AqscoreError
from aqscore.report import ErrorRecord, Report

NAMESPACE = "aqscore"
UNITS = {
    "FilesScored": MetricUnit.Count,
    "FilesRefused": MetricUnit.Count,
    "FilesDuplicate": MetricUnit.Count,
    "FilesSuperseded": MetricUnit.Count,
    "FilesIgnored": MetricUnit.Count,
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
    """Makes the package's loggers write JSON lines. The returned one adds an invocation's request id."""
    # Named after the package: loggers of its modules are below it and use its handler.
    return Logger(service="aqscore", utc=True, use_rfc3339=True)


def record_processed(
    state: str,
    source: dict[str, Any],
    spent_s: float,
    document: Report | ErrorRecord | None,
    age_s: float | None,
) -> None:
    """Records a file that needs no other attempt.

    ``state`` is that of its Outcome, ``source`` names the object version or the posted file. ``document`` is
    the report or error record if one was made, ``age_s`` the seconds from the upload to the stored result.
    """
    values: dict[str, float] = {f"Files{state.capitalize()}": 1, "ProcessingTime": round(1000 * spent_s)}
    fields: dict[str, Any] = {}
    if age_s is not None:
        values["Latency"] = max(0, round(1000 * age_s))
    if isinstance(document, Report):
        fields = {
            "audio_s": document.media.duration_s,
            "score": document.score,
            "verdict": document.verdict,
            "mos": document.mos,
            "cause": document.causes[0].kind if document.causes else None,
        }
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


def record_api_report(report: Report) -> None:
    """Records a recording that the HTTPS API scored."""
    record_processed("scored", report.source.model_dump(), report.timing.total_s, report, age_s=None)


def record_failed(error: Exception, source: dict[str, Any], spent_s: float) -> None:
    """Records a file that must be retried."""
    _emit({"FilesFailed": 1, "ProcessingTime": round(1000 * spent_s)})
    record_error("File failed", error, source | {"spent_s": round(spent_s, 3)})


def record_postponed(error: AqscoreError, source: dict[str, Any]) -> None:
    """Records a file that needs an invocation with more time left."""
    _emit({"FilesPostponed": 1})
    log.info("File postponed", extra=_known(source) | {"reason": error.message})


def record_error(text: str, error: Exception, fields: dict[str, Any]) -> None:
    """Records an error. ``text`` is the log line's message; ``fields`` name the file, message or event.

    Only an unexpected error is logged with its traceback.
    """
    if isinstance(error, AqscoreError):
        kind, advice, traceback = error.type, advice_in_aws(error), None
    else:
        kind, advice, traceback = type(error).__name__, None, error
    _emit({"Errors": 1}, ErrorType=kind)
    details = {"error_type": kind, "error_message": str(error), "error_advice": advice}
    log.error(text, exc_info=traceback, extra=_known(fields | details))


@cache
def record_cold_start() -> None:
    """Counts this process at the first call; later calls do nothing."""
    _emit({"ColdStarts": 1})


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _emit(values: dict[str, float], **dimensions: str) -> None:
    """Prints a line in the embedded metric format; outside Lambda, prints nothing."""
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    if not function:
        return
    metrics = EphemeralMetrics(namespace=NAMESPACE)
    for name, text in ({"FunctionName": function} | dimensions).items():
        metrics.add_dimension(name, text)
    for name, value in values.items():
        metrics.add_metric(name, UNITS[name], value)
    metrics.flush_metrics()
