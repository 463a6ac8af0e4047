"""Versions, the alias and gradual deployment, as SAM's own translator makes them from the template."""

import json
import subprocess
from pathlib import Path

import pytest

from infra.localstack.stack import with_image

SAM_TRANSLATES = """
import json, sys
import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

template, given = yaml_parse(sys.stdin.read()), json.loads(sys.argv[1])
values = {name: each.get("Default") for name, each in template["Parameters"].items()} | given
session = boto3.Session(region_name="eu-central-1")
json.dump(Translator({}, Parser(), boto_session=session).translate(template, values)["Resources"], sys.stdout)
"""


@pytest.fixture(scope="module")
def translated(template_path: Path, sam_tools: Path):
    """``translated("123.dkr.ecr...:tag", Release="2")``: the resources after SAM's transform."""

    def translated(image: str = "example.com/aqscore:1", **parameters: str) -> dict[str, dict]:
        done = subprocess.run(
            [sam_tools / "python", "-W", "ignore", "-c", SAM_TRANSLATES, json.dumps(parameters)],
            input=with_image(template_path.read_text(), image),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return translated


def version(resources: dict[str, dict]) -> str:
    [name] = [name for name, each in resources.items() if each["Type"] == "AWS::Lambda::Version"]
    return name


def test_every_trigger_calls_the_alias(translated) -> None:
    resources = translated()
    alias = {"Ref": "FunctionAliaslive"}
    assert resources["FunctionRecordings"]["Properties"]["FunctionName"] == alias
    paths = resources["Api"]["Properties"]["Body"]["paths"]
    for methods in paths.values():
        for operation in methods.values():
            integration = operation["x-amazon-apigateway-integration"]
            if integration["type"] != "mock":
                assert "${Function.Arn}:live" in integration["uri"]["Fn::Sub"]
    assert resources["ApiMayCall"]["Properties"]["FunctionName"] == {"Fn::Sub": "${Function.Arn}:live"}


def test_another_image_is_another_version_and_old_versions_are_retained(translated) -> None:
    first, second = translated(), translated("example.com/aqscore:2")
    assert version(first) != version(second)
    assert first[version(first)]["DeletionPolicy"] == "Retain"


def test_an_update_is_gradual_and_errors_roll_it_back(translated) -> None:
    resources = translated(DeploymentPreference="Linear10PercentEvery1Minute")
    assert "CodeDeployLambdaAliasUpdate" in resources["FunctionAliaslive"]["UpdatePolicy"]
    group = resources["FunctionDeploymentGroup"]["Properties"]
    assert group["DeploymentConfigName"]["Fn::Sub"][1] == {"ConfigName": "Linear10PercentEvery1Minute"}
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    [condition, watched, _] = group["AlarmConfiguration"]["Fn::If"]
    assert condition == "Gradual"
    assert watched["Alarms"] == [{"Name": {"Ref": "ErrorsAlarm"}}]


def test_buckets_are_retained_when_the_stack_is_deleted(translated) -> None:
    for name, resource in translated(Backfill="true").items():
        if resource["Type"] == "AWS::S3::Bucket":
            assert resource["DeletionPolicy"] == "RetainExceptOnCreate", name
            assert resource["UpdateReplacePolicy"] == "Retain", name
