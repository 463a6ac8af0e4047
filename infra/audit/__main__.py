"""``python -m infra.audit``: runs every checker, prints what each found, ends with one line for each."""

import json
import subprocess
import sys
from pathlib import Path

from infra.localstack.install import CFN_LINT, CHECKOV, PIP_AUDIT, ROOT

TEMPLATE = "template.yaml"
PACKAGES = "requirements.txt"  # the image's lists are parts of it
CLEAN, FOUND, NOT_CHECKED = "clean", "FOUND SOMETHING", "NOT CHECKED"


def cfn_lint() -> str:
    return _verdict(subprocess.run([CFN_LINT, TEMPLATE], cwd=ROOT))


def checkov() -> str:
    """Policies of the template; what is let pass says why beside its resource."""
    return _verdict(subprocess.run(checkov_command(), cwd=ROOT))


def checkov_command() -> list[str | Path]:
    """checkov on the template alone, asking nobody."""
    return [CHECKOV, "--file", TEMPLATE, "--framework", "cloudformation", "--compact", "--quiet",
            "--skip-download"]  # fmt: skip


def pip_audit() -> str:
    """Known weaknesses of pinned packages. A package that the advisory service doesn't know is not clean."""
    command = [PIP_AUDIT, "--requirement", PACKAGES, "--require-hashes", "--disable-pip", "--format", "json"]
    done = subprocess.run([*command, "--progress-spinner", "off"], cwd=ROOT, capture_output=True, text=True)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(done.stderr.strip(), file=sys.stderr)
        return f"{NOT_CHECKED}: pip-audit gave no answer"
    weak = [(package, each) for package in packages for each in package.get("vulns", ())]
    for package, each in weak:
        fixed = ", ".join(each["fix_versions"]) or "no version"
        print(f"{package['name']} {package['version']}: {each['id']}, mended in {fixed}")
    unknown = sum("skip_reason" in package for package in packages)
    if weak:
        return f"{FOUND}: {len(weak)}"
    if unknown:
        return f"{NOT_CHECKED}: the advisory service did not answer for {unknown} of {len(packages)} packages"
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
