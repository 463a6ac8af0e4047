"""template.yaml as SAM reads it, and its resources for given parameters."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.localstack.install import CFN_LINT, ROOT, SAM

SAM_PYTHON = SAM.with_name("python")
READ_TEMPLATE = """
import json, sys
from samcli.yamlhelper import yaml_parse
json.dump(yaml_parse(sys.stdin.read()), sys.stdout)
"""


@pytest.fixture(scope="session")
def template_path() -> Path:
    return ROOT / "template.yaml"


@pytest.fixture(scope="session")
def sam_tools() -> Path:
    """The folder of sam and cfn-lint."""
    if not (SAM.exists() and CFN_LINT.exists()):
        pytest.skip("the SAM CLI is not installed: python -m infra.localstack.install sam")
    return SAM.parent


@pytest.fixture(scope="session")
def template(template_path: Path, sam_tools: Path) -> dict:
    """The whole template. Short forms such as !Sub are written out as {"Fn::Sub": ...}."""
    read = subprocess.run(
        [SAM_PYTHON, "-c", READ_TEMPLATE],
        input=template_path.read_text(),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(read.stdout)


@pytest.fixture(scope="session")
def resources(template: dict) -> dict[str, dict]:
    """Logical id -> properties."""
    return {name: resource["Properties"] for name, resource in template["Resources"].items()}


@pytest.fixture(scope="session")
def deployed(template: dict) -> Callable[..., dict[str, dict]]:
    """``deployed(Notification="sns")``: the resources with these parameters, logical id -> properties."""

    def deployed(**parameters: str) -> dict[str, dict]:
        values = {name: each.get("Default") for name, each in template["Parameters"].items()} | parameters
        return {
            name: _resolved(resource["Properties"], template["Conditions"], values)
            for name, resource in template["Resources"].items()
            if "Condition" not in resource or _holds(resource["Condition"], template["Conditions"], values)
        }

    return deployed


def _resolved(value: Any, conditions: dict, parameters: dict) -> Any:
    """The value with each Fn::If resolved, and without what is AWS::NoValue."""
    if isinstance(value, list):
        items = [_resolved(each, conditions, parameters) for each in value]
        return [each for each in items if each != {"Ref": "AWS::NoValue"}]
    if not isinstance(value, dict):
        return value
    if "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        return _resolved(yes if _holds(condition, conditions, parameters) else no, conditions, parameters)
    members = {name: _resolved(each, conditions, parameters) for name, each in value.items()}
    return {name: each for name, each in members.items() if each != {"Ref": "AWS::NoValue"}}


def _holds(condition: str | dict, conditions: dict, parameters: dict) -> bool:
    rule = conditions[condition] if isinstance(condition, str) else condition
    [(function, arguments)] = rule.items()
    if function == "Fn::Not":
        return not _holds(arguments[0], conditions, parameters)
    assert function == "Fn::Equals", f"{function} is not supported here yet"
    left, right = (_text(each, parameters) for each in arguments)
    return left == right


def _text(value: Any, parameters: dict) -> str:
    if isinstance(value, dict) and "Fn::Join" in value:
        return _text(value["Fn::Join"][1], parameters)
    return str(parameters[value["Ref"]] if isinstance(value, dict) else value)
