"""Alarms and dashboard refer to existing metrics, and docs/operations.md explains every alarm."""

import json
import re
from collections.abc import Callable

import pytest

from aqscore.aws.metrics import NAMESPACE, UNITS
from aqscore.scale import HIGHEST, LOWEST
from infra.localstack.install import ROOT

FUNCTION = {"FunctionName": {"Ref": "Function"}}
WATCHED = {
    "ErrorsAlarm": ("AWS/Lambda", "Errors", {"FunctionName": {"Fn::Sub": "${AWS::StackName}-score"}}),
    "DurationAlarm": ("AWS/Lambda", "Duration", FUNCTION),
    "ThrottlesAlarm": ("AWS/Lambda", "Throttles", FUNCTION),
    "OldestMessageAlarm": (
        "AWS/SQS",
        "ApproximateAgeOfOldestMessage",
        {"QueueName": {"Fn::GetAtt": ["Queue", "QueueName"]}},
    ),
    "DeadLetterAlarm": (
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        {"QueueName": {"Fn::GetAtt": ["DeadLetterQueue", "QueueName"]}},
    ),
    "DeadLetterAgeAlarm": (
        "AWS/SQS",
        "ApproximateAgeOfOldestMessage",
        {"QueueName": {"Fn::GetAtt": ["DeadLetterQueue", "QueueName"]}},
    ),
    "UndeliveredEventsAlarm": (
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        {"QueueName": {"Fn::GetAtt": ["UndeliveredEvents", "QueueName"]}},
    ),
    "LowScoresAlarm": (NAMESPACE, "Score", FUNCTION),
    "HighScoresAlarm": (NAMESPACE, "Score", FUNCTION),
}


@pytest.fixture(scope="module")
def everything(deployed: Callable) -> dict[str, dict]:
    return deployed(
        AlarmEmail="someone@example.org",
        ExistingBucket="calls-of-ours",
        ExpectedScoreLow="2",
        ExpectedScoreHigh="4",
    )


def test_every_alarm_has_a_metric_a_recipient_and_an_explanation(everything: dict) -> None:
    alarms = {name for name in everything if name.endswith("Alarm")}
    assert alarms == WATCHED.keys()
    operations = (ROOT / "docs" / "operations.md").read_text()
    for name, (namespace, metric, dimensions) in WATCHED.items():
        alarm = everything[name]
        assert (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric)
        assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == dimensions
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm["TreatMissingData"] == "notBreaching"
        [heading] = re.findall(r'operations\.md,\s+"([^"]+)"', alarm["AlarmDescription"])
        assert f"### {heading}\n" in operations


def test_alarms_are_sent_only_to_a_given_address(deployed: Callable) -> None:
    default = deployed()
    optional = {"AlarmTopic", "LowScoresAlarm", "HighScoresAlarm", "UndeliveredEventsAlarm"}
    assert not optional & default.keys()
    assert all("AlarmActions" not in each for name, each in default.items() if name.endswith("Alarm"))


def test_the_errors_alarm_has_the_name_of_the_function(resources: dict) -> None:
    assert resources["Function"]["FunctionName"] == WATCHED["ErrorsAlarm"][2]["FunctionName"]


def test_the_duration_alarm_is_below_the_timeout(template: dict) -> None:
    for timeout, values in template["Mappings"]["ByTimeout"].items():
        assert values["NearMilliseconds"] == 0.8 * 1000 * int(timeout)


def test_the_alarm_about_dead_letters_precedes_their_end(resources: dict) -> None:
    """Their retention counts from the first sending, their age from the move out of the queue."""
    moved_at_latest_s = resources["Queue"]["MessageRetentionPeriod"]
    kept_s = resources["DeadLetterQueue"]["MessageRetentionPeriod"]
    day_s = 86_400
    assert (moved_at_latest_s, kept_s) == (4 * day_s, 14 * day_s)
    assert resources["DeadLetterAgeAlarm"]["Threshold"] <= kept_s - moved_at_latest_s - 3 * day_s


@pytest.mark.parametrize("cause", ["access", "KMS key is disabled", "memory"])
def test_the_alarm_about_dead_letters_names_their_causes(resources: dict, cause: str) -> None:
    assert cause in resources["DeadLetterAlarm"]["AlarmDescription"]


def test_expected_scores_are_scores_or_off(template: dict) -> None:
    low, high = (template["Parameters"][f"ExpectedScore{end}"] for end in ("Low", "High"))
    assert (low["Default"], low["MaxValue"]) == (0, HIGHEST)
    assert (high["MinValue"], high["Default"]) == (LOWEST, 5)


def test_the_dashboard_is_json_with_existing_metrics(resources: dict, template: dict) -> None:
    text = resources["Dashboard"]["DashboardBody"]["Fn::Sub"]
    names = template["Resources"].keys() | template["Parameters"].keys()
    for variable in re.findall(r"\$\{([\w:.]+)\}", text):
        assert variable.startswith("AWS::") or variable.partition(".")[0] in names
    body = json.loads(re.sub(r"\$\{[\w:.]+\}", "1", text))
    shown = {
        line[1]
        for widget in body["widgets"]
        for line in widget["properties"].get("metrics", ())
        if line[0] == NAMESPACE
    }
    assert {"Score", "FilesScored", "ColdStarts"} <= shown <= UNITS.keys()
    places = [
        (widget["x"] + i, widget["y"] + j)
        for widget in body["widgets"]
        for i in range(widget["width"])
        for j in range(widget["height"])
    ]
    assert len(places) == len(set(places)), "two widgets overlap"
    assert max(x for x, _ in places) < 24, "a dashboard is 24 columns wide"


def test_every_log_expires(template: dict) -> None:
    groups = [each for each in template["Resources"].values() if each["Type"] == "AWS::Logs::LogGroup"]
    assert len(groups) == 2
    assert all(each["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"} for each in groups)
