"""Runs every checker and prints its findings, then one line for each: ``python -m infra.audit``."""

import json
import subprocess
import sys
from pathlib import Path

from infra.localstack.install import CFN_LINT, CHECKOV, PIP_AUDIT, ROOT

TEMPLATE = "template.yaml"
PACKAGES = "requirements.txt"  # the image's lists are subsets of it
CLEAN, FOUND, NOT_CHECKED = "clean", "FINDINGS", "NOT CHECKED"


def cfn_lint() -> str:
    return _verdict(subprocess.run([CFN_LINT, TEMPLATE], cwd=ROOT))


def checkov() -> str:
    """Security policies of the template. Each suppression has its reason beside the resource."""
    return _verdict(subprocess.run(checkov_command(), cwd=ROOT))


def checkov_command() -> list[str | Path]:
    """The checkov command for the template alone, without network access."""
    return [CHECKOV, "--file", TEMPLATE, "--framework", "cloudformation", "--compact", "--quiet",
            "--skip-download"]  # fmt: skip


def pip_audit() -> str:
    """Known vulnerabilities of the pinned packages. Packages without an answer count as not checked."""
    options = ["--requirement", PACKAGES, "--require-hashes", "--disable-pip", "--format", "json"]
    done = subprocess.run(
        [PIP_AUDIT, *options, "--progress-spinner", "off"], cwd=ROOT, capture_output=True, text=True
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(done.stderr.strip(), file=sys.stderr)
        return f"{NOT_CHECKED}: pip-audit returned no report"
    vulnerable = [(package, each) for package in packages for each in package.get("vulns", ())]
    for package, each in vulnerable:
        fixed = ", ".join(each["fix_versions"]) or "no version"
        print(f"{package['name']} {package['version']}: {each['id']}, fixed in {fixed}")
    unknown = sum("skip_reason" in package for package in packages)
    if vulnerable:
        return f"{FOUND}: {len(vulnerable)}"
    if unknown:
        return f"{NOT_CHECKED}: the advisory service gave no answer for {unknown} of {len(packages)} packages"
    return CLEAN


def _verdict(done: subprocess.CompletedProcess) -> str:
    return CLEAN if done.returncode == 0 else FOUND


def main() -> None:
    verdicts = {"cfn-lint": cfn_lint(), "checkov": checkov(), "pip-audit": pip_audit()}
    for check, verdict in verdicts.items():
        print(f"{check + ':':<11} {verdict}")
    sys.exit(any(verdict.startswith(FOUND) for verdict in verdicts.values()))


if __name__ == "__main__":
    main()
