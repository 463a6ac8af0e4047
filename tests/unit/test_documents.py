"""The documents: their links lead somewhere, their commands run, their parameters are the template's."""

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from aqscore.report import Report
from infra.waiting import wait_until
from tests.conftest import EXAMPLES, ROOT

DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "training/*.md", "model_artifacts/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
README = ROOT / "README.md"
START_LIMIT_S = 60


def blocks(path: Path) -> list[str]:
    """The commands of a document: indented lines, continued ones joined, comments dropped."""
    text = re.sub(r"\\\n\s*", " ", path.read_text())
    lines = re.findall(r"^ {4}(\S.*)$", text, flags=re.M)
    return [line.partition(" # ")[0].strip() for line in lines]


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"https?:", link):
            continue  # nothing outside can be reached from a test
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{path.name} links to {link}"
        assert target.is_relative_to(ROOT), f"{path.name} links outside the repository: {link}"
        assert not anchor or anchor in anchors(target), f"{path.name} links to {link}"


def test_make_knows_the_targets_that_documents_name() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    for path in DOCUMENTS:
        for command in re.findall(r"(?:^ {4}|`)make ([a-z][a-z-]*)", path.read_text(), flags=re.M):
            assert command in targets, f"{path.name} says make {command}"


def test_modules_that_documents_run_are_there() -> None:
    for path in DOCUMENTS:
        for module in re.findall(
            r"python -m ((?:function|infra|training|benchmarks)[\w.]*)", path.read_text()
        ):
            place = ROOT / module.replace(".", "/")
            assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), (
                f"{path.name} runs {module}"
            )


def test_parameters_that_documents_set_are_the_templates() -> None:
    template = (ROOT / "template.yaml").read_text()
    known = set(
        re.findall(r"^  (\w+):\n    Type: (?:String|Number|CommaDelimitedList)\b", template, flags=re.M)
    )
    assert len(known) > 10
    for path in (README, *ROOT.glob("docs/*.md")):
        given = set(re.findall(r"[ `\"]([A-Z][a-z]+(?:[A-Z][a-z]+)*)=(?=[\w\"])", path.read_text()))
        # What boto3 and API Gateway call theirs.
        assert given - {"Bucket", "Key"} <= known, path.name


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the recordings that the README's commands name."""
    (tmp_path / "calls").mkdir()
    shutil.copy(EXAMPLES / "clean.flac", tmp_path / "calls" / "a.flac")
    shutil.copy(EXAMPLES / "noisy.flac", tmp_path / "meeting.wav")  # the content decides, not the name
    shutil.copy(EXAMPLES / "clean.flac", tmp_path / "call.wav")
    return tmp_path


def run(command: str, folder: Path) -> subprocess.CompletedProcess:
    """A command of the README, with this Python and in that folder."""
    here = command.replace(".venv/bin/python", f"PYTHONPATH={ROOT} {sys.executable}")
    return subprocess.run(["bash", "-c", here], cwd=folder, capture_output=True, text=True)


def test_the_command_of_make_score_prints_its_table(desk: Path) -> None:
    [wish] = [line for line in blocks(README) if line.startswith("make score")]
    options = re.search(r'`(OPTIONS="--csv [^`]+")`', README.read_text()).group(1)
    # Make says what it would do: its first lines may install, which a test has no business to.
    said = subprocess.run(
        ["bash", "-c", f"make --no-print-directory --dry-run {wish.removeprefix('make ')} {options}"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    done = run(said.strip().splitlines()[-1], desk)
    assert done.returncode == 0, done.stderr
    assert "meeting.wav" in done.stdout and "a.flac" in done.stdout
    assert {"scores.csv", "scores.png", "scores.html"} <= {path.name for path in desk.iterdir()}


def test_the_command_for_programs_writes_json_lines(desk: Path) -> None:
    [command] = [line for line in blocks(README) if line.startswith(".venv/bin/python -m aqscore")]
    done = run(command, desk)
    assert done.returncode == 0, done.stderr
    [line] = (desk / "scores.jsonl").read_text().splitlines()
    assert Report.model_validate_json(line).frames is None


@pytest.fixture
def served() -> Iterator[str]:
    """The address of what `make serve` starts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    text = re.search(
        r"^serve:.*\n\t@\$\(BIN\)/python (.*)$", (ROOT / "Makefile").read_text(), flags=re.M
    ).group(1)
    command = [sys.executable, *text.split(), "--port", address.rpartition(":")[2], "--log-level", "error"]
    with subprocess.Popen(command, cwd=ROOT) as server:
        try:
            wait_until(lambda: answers(address), "make serve", START_LIMIT_S)
            yield address
        finally:
            server.terminate()


def answers(address: str) -> bool:
    try:
        return httpx2.get(f"http://{address}/v1/health").status_code == 200
    except httpx2.TransportError:
        return False


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_call_of_the_api_gets_a_report(desk: Path, served: str) -> None:
    [command] = [line for line in blocks(README) if line.startswith("curl -F")]
    assert "127.0.0.1:8000" in command
    done = run(command.replace("127.0.0.1:8000", served).replace("curl", "curl --silent --noproxy '*'"), desk)
    assert Report.model_validate(json.loads(done.stdout)).source.file == "call.wav"
