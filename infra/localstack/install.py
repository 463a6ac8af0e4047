"""Installs the tools around the stack: ``python -m infra.localstack.install [localstack sam checkov audit]``.

Each tool gets a virtual environment of its own under .tools/, because their pins contradict each other
and the function's. A tool that is installed at the pinned versions is skipped.
"""

import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TOOLS = ROOT / ".tools"
LOCALSTACK_PYTHON = TOOLS / "localstack" / "bin" / "python"
EMULATOR = TOOLS / "aws-lambda-rie"
SAM = TOOLS / "sam" / "bin" / "sam"
CFN_LINT = TOOLS / "sam" / "bin" / "cfn-lint"
CHECKOV = TOOLS / "checkov" / "bin" / "checkov"
PIP_AUDIT = TOOLS / "audit" / "bin" / "pip-audit"

PLUGIN = HERE / "runtime_plugin"
LOCALSTACK_PINS = HERE / "requirements.txt"
SAM_PINS = HERE / "requirements-sam.txt"
CHECKOV_PINS = ROOT / "infra" / "audit" / "requirements-checkov.txt"
AUDIT_PINS = ROOT / "infra" / "audit" / "requirements-audit.txt"


def install_localstack() -> None:
    """LocalStack with the plugin, and AWS's Runtime Interface Emulator from the SAM CLI's wheel."""
    pins = [LOCALSTACK_PINS, PLUGIN / "pyproject.toml"]
    if not _is_current("localstack", pins):
        python = _new_environment("localstack")
        _pip(python, "install", "--require-hashes", "-r", str(LOCALSTACK_PINS))
        _pip(python, "install", "--no-deps", "--editable", str(PLUGIN))
        _mark_current("localstack", pins)
    if not EMULATOR.exists():
        _extract_emulator()


def install_sam() -> None:
    """The SAM CLI and cfn-lint, to check and deploy template.yaml."""
    _install_pinned("sam", SAM_PINS)


def install_checkov() -> None:
    """checkov, to check the security policies of template.yaml."""
    _install_pinned("checkov", CHECKOV_PINS)


def install_audit() -> None:
    """uv, pip-audit and cyclonedx-bom, to pin, audit and list the packages."""
    _install_pinned("audit", AUDIT_PINS)


def _install_pinned(name: str, pins: Path) -> None:
    if not _is_current(name, [pins]):
        _pip(_new_environment(name), "install", "--require-hashes", "-r", str(pins))
        _mark_current(name, [pins])


def _extract_emulator() -> None:
    [wheel_pin] = re.findall(
        r"^aws-sam-cli==\S+(?: \\\n +--hash=\S+)+", SAM_PINS.read_text(), flags=re.MULTILINE
    )
    architecture = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / "aws-sam-cli.txt"
        pins.write_text(wheel_pin)
        _pip(sys.executable, "download", "--no-deps", "--only-binary=:all:", "--require-hashes",
             "-d", folder, "-r", str(pins))  # fmt: skip
        wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            EMULATOR.write_bytes(archive.read(f"samcli/local/rapid/aws-lambda-rie-{architecture}"))
    EMULATOR.chmod(0o755)


def _new_environment(name: str) -> Path:
    """A new virtual environment of this Python under .tools/; replaces one of an aborted installation."""
    folder = TOOLS / name
    shutil.rmtree(folder, ignore_errors=True)
    _report(f"Installing {name} into {folder.relative_to(ROOT)} (once, about two minutes)")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder / "bin" / "python"


def _pip(python: Path | str, *arguments: str) -> None:
    subprocess.run([str(python), "-m", "pip", "-qq", "--disable-pip-version-check", *arguments], check=True)


def _fingerprint(pins: list[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in pins)).hexdigest()


def _is_current(name: str, pins: list[Path]) -> bool:
    stamp = TOOLS / name / "installed"
    return stamp.exists() and stamp.read_text() == _fingerprint(pins)


def _mark_current(name: str, pins: list[Path]) -> None:
    (TOOLS / name / "installed").write_text(_fingerprint(pins))


def _report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    installers = {
        "localstack": install_localstack,
        "sam": install_sam,
        "checkov": install_checkov,
        "audit": install_audit,
    }
    wanted = sys.argv[1:] or list(installers)
    for name in wanted:
        if name not in installers:
            raise SystemExit(f"Unknown tool {name!r}. Expected some of: {', '.join(installers)}.")
        installers[name]()


if __name__ == "__main__":
    main()
