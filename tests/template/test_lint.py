"""The template passes sam validate, cfn-lint and checkov."""

import os
import subprocess
from pathlib import Path

import pytest

from infra.audit.__main__ import checkov_command
from infra.localstack.install import CHECKOV, ROOT


@pytest.mark.parametrize("command", ["sam validate --lint --template", "cfn-lint"])
def test_the_template_is_valid(command: str, template_path: Path, sam_tools: Path, tmp_path: Path) -> None:
    tool, *options = command.split()
    checked = subprocess.run(
        [sam_tools / tool, *options, template_path],
        cwd=tmp_path,
        env=os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "eu-central-1"},
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.skipif(not CHECKOV.exists(), reason="checkov is not installed: make audit")
def test_checkov_finds_nothing_without_a_suppression() -> None:
    checked = subprocess.run(checkov_command(), cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_suppression_has_its_reason(template: dict) -> None:
    for name, resource in template["Resources"].items():
        for skipped in resource.get("Metadata", {}).get("checkov", {}).get("skip", ()):
            assert len(skipped["comment"]) > 20, f"{name}: {skipped}"
