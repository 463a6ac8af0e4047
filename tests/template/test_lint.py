"""What AWS's own tools say of the template."""

import os
import subprocess
from pathlib import Path

import pytest


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
