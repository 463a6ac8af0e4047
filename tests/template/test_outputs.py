"""The outputs that a person pastes: how to open the page under each authentication, how to try the stack."""

import re

import pytest

from infra.documents.parameters import groups, parameters
from tests.conftest import ROOT

OPENS_THE_PAGE = {"API_KEY": "PrintApiKey", "AWS_IAM": "SigningProxy"}


@pytest.mark.parametrize("authentication", ["AWS_IAM", "API_KEY", "NONE"])
def test_one_output_opens_the_page(template: dict, authentication: str) -> None:
    present = {
        name
        for name in OPENS_THE_PAGE.values()
        if template["Conditions"][template["Outputs"][name]["Condition"]]
        == {"Fn::Equals": [{"Ref": "Authentication"}, authentication]}
    }
    assert present == {name for each, name in OPENS_THE_PAGE.items() if each == authentication}
    for name in OPENS_THE_PAGE.values():
        assert name in template["Outputs"]["ApiUrl"]["Description"]


def test_the_signing_proxy_listens_on_this_machine_only(template: dict) -> None:
    command = template["Outputs"]["SigningProxy"]["Value"]["Fn::Sub"]
    assert re.findall(r"-p (\S+)", command) == ["127.0.0.1:8080:8080"]
    assert "--name execute-api" in command and "--host ${Api}.execute-api." in command


def test_the_recording_of_the_try_is_in_the_checkout(template: dict) -> None:
    text, _ = template["Outputs"]["TryIt"]["Value"]["Fn::Sub"]
    assert (ROOT / text.split()[3]).is_file()


def test_the_documented_parameters_are_those_that_sam_reads(template: dict) -> None:
    read = {
        name: (str(each["Default"]), " ".join(each["Description"].split()))
        for name, each in template["Parameters"].items()
    }
    assert {name: (each.default, each.description) for name, each in parameters().items()} == read
    shown = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert groups() == {group["Label"]["default"]: group["Parameters"] for group in shown}
