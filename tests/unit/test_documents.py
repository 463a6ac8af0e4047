"""The documents: links and paths exist, commands and examples run, parameters are those of the template."""

import json
import os
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
    for pattern in ("*.md", "docs/**/*.md", "training/**/*.md", "model_artifacts/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
GUIDES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
README = ROOT / "README.md"
RECORDS = sorted(ROOT.glob("docs/decisions/[0-9]*.md"))
AQSCORE = f"{sys.executable} -m aqscore"
START_LIMIT_S = 60


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def commands(path: Path) -> list[str]:
    """The commands of a document: indented lines, continued ones joined, comments removed."""
    text = re.sub(r"\\\n\s*", " ", path.read_text())
    lines = re.findall(r"^ {4}(\S.*)$", text, flags=re.M)
    return [line.partition(" # ")[0].strip() for line in lines]


def slug(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", path.read_text(), flags=re.M)}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_have_targets(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"https?:", link):
            continue  # tests can't reach other sites
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{path.name} links to {link}"
        assert target.is_relative_to(ROOT), f"{path.name} links outside the repository: {link}"
        assert not anchor or anchor in anchors(target), f"{path.name} links to {link}"


@pytest.mark.parametrize("path", GUIDES, ids=name_of)
def test_files_named_in_documents_exist(path: Path) -> None:
    folders = "benchmarks|docs|examples|function|infra|model_artifacts|tests|training"
    for file in re.findall(rf"(?<![\w./-])(?:{folders})/[\w./-]*\w", path.read_text()):
        assert (ROOT / file).exists() or (path.parent / file).exists(), f"{path.name} names {file}"


def test_make_targets_named_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    for path in DOCUMENTS:
        for command in re.findall(r"(?:^ {4}|`)make ([a-z][a-z-]*)", path.read_text(), flags=re.M):
            assert command in targets, f"{path.name} says make {command}"


def test_modules_run_in_documents_exist() -> None:
    for path in DOCUMENTS:
        for module in re.findall(
            r"python -m ((?:aqscore|infra|training|benchmarks|tests)(?:\.\w+)*)", path.read_text()
        ):
            file = ROOT / ("function" if module.startswith("aqscore") else "") / module.replace(".", "/")
            assert file.with_suffix(".py").exists() or (file / "__main__.py").exists(), (
                f"{path.name} runs {module}"
            )


def test_parameters_set_in_documents_are_those_of_the_template() -> None:
    template = (ROOT / "template.yaml").read_text()
    known = set(
        re.findall(r"^  (\w+):\n    Type: (?:String|Number|CommaDelimitedList)\b", template, flags=re.M)
    )
    assert len(known) > 10
    for path in (README, *ROOT.glob("docs/*.md")):
        given = set(re.findall(r"[ `\"]([A-Z][a-z]+(?:[A-Z][a-z]+)*)=(?=[\w\"])", path.read_text()))
        # Arguments of boto3 and of API Gateway.
        assert given - {"Bucket", "Key"} <= known, path.name


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_decision_record_has_title_status_and_date_and_stands_in_the_index(path: Path) -> None:
    text = path.read_text()
    number, title = re.match(r"# (\d{4}): (.+)\n", text).groups()
    assert path.stem == f"{number}-{slug(title)}"
    status = re.search(r"^- Status: (Accepted|Superseded by \[\d{4}\]\(.+\.md\))$", text, flags=re.M).group(1)
    date = re.search(r"^- Date: (\d{4}-\d\d-\d\d)$", text, flags=re.M).group(1)
    index = (path.parent / "README.md").read_text()
    assert f"| {number} | [{title}]({path.name}) | {status} | {date} |" in index


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the recordings that the commands and examples name."""
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    (tmp_path / "calls").mkdir()
    shutil.copy(EXAMPLES / "clean.flac", tmp_path / "calls" / "a.flac")
    shutil.copy(EXAMPLES / "noisy.flac", tmp_path / "meeting.wav")  # the content decides, not the name
    shutil.copy(EXAMPLES / "noisy.flac", tmp_path / "call.wav")
    return tmp_path


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A shell command in that folder, with this Python in place of an installed one."""
    done = subprocess.run(
        ["bash", "-c", re.sub(r"^(?:\.venv/bin/)?aqscore\b", AQSCORE, command)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "function")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done


EXAMPLE_BLOCKS = [
    pytest.param(block, id=f"{path.name}-{number}")
    for path in (README, ROOT / "docs/python.md")
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", path.read_text(), flags=re.M | re.S))
]


@pytest.mark.parametrize("block", EXAMPLE_BLOCKS)
def test_an_example_in_python_runs(block: str, folder: Path) -> None:
    assert run(f"{sys.executable} -W error - <<'END'\n{block}\nEND", folder).stdout


def test_the_command_for_people_writes_a_table_and_files(folder: Path) -> None:
    [command] = [line for line in commands(README) if line.startswith(".venv/bin/aqscore score")]
    options = re.search(r"`(--csv [^`]+)`", README.read_text()).group(1)
    done = run(f"{command} {options}", folder)
    assert "clean.flac" in done.stdout and "noisy.flac" in done.stdout
    assert {"scores.csv", "scores.png", "scores.html"} <= {path.name for path in folder.iterdir()}


def test_the_command_for_programs_writes_json_lines(folder: Path) -> None:
    command = "aqscore score calls/ --output scores.jsonl --no-frames --resume"
    assert command in commands(ROOT / "docs/command-line.md")
    run(command, folder)
    [line] = (folder / "scores.jsonl").read_text().splitlines()
    assert Report.model_validate_json(line).frames is None


@pytest.mark.parametrize(
    ("target", "command"),
    [("score FILES=call.wav OPTIONS=--no-frames", "score call.wav --no-frames"), ("serve", "serve")],
    ids=["score", "serve"],
)
def test_make_runs_the_command(target: str, command: str) -> None:
    done = run(f"make --no-print-directory --dry-run {target}", ROOT)
    assert done.stdout.strip().splitlines()[-1] == f".venv/bin/aqscore {command}"


@pytest.fixture
def served() -> Iterator[str]:
    """The address of a running `aqscore serve`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "aqscore", "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT / "function", stderr=subprocess.DEVNULL) as server:
        try:
            wait_until(
                lambda: server.poll() is not None or answers(f"127.0.0.1:{port}"),
                "aqscore serve",
                START_LIMIT_S,
            )
            assert server.poll() is None, "the server ended"
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()


def answers(address: str) -> bool:
    try:
        return httpx2.get(f"http://{address}/v1/health").status_code == 200
    except httpx2.TransportError:
        return False


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_call_of_the_api_gets_a_report(folder: Path, served: str) -> None:
    [command] = [line for line in commands(README) if line.startswith("curl -F")]
    assert "127.0.0.1:8000" in command
    command = command.replace("127.0.0.1:8000", served).replace("curl", "curl --silent --noproxy '*'")
    assert Report.model_validate(json.loads(run(command, folder).stdout)).source.file == "noisy.flac"
