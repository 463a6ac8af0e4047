"""template.yaml as SAM itself reads it."""

import json
import subprocess
from pathlib import Path

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
    """The whole template, short forms such as !Sub written out as {"Fn::Sub": ...}."""
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
