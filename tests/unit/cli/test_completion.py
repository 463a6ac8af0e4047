"""Help and completion: every command has examples in its help, and shells complete what there is."""

import shutil
import subprocess
import sys

import pytest

from aqscore.cli.main import main
from tests.conftest import ROOT

COMMANDS = ["score", "watch", "compare", "summary", "serve", "model", "completion"]
SCREEN_LINES, SCREEN_COLUMNS = 48, 80


def script(shell: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "aqscore", "completion", shell],
        cwd=ROOT / "function",
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_fits_a_screen_and_has_examples(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(SCREEN_COLUMNS))
    with pytest.raises(SystemExit):
        main([command, "--help"] if command else ["--help"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= SCREEN_LINES
    assert "examples:" in lines
    assert command == "score" or max(map(len, lines)) <= SCREEN_COLUMNS


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["com"], {"compare", "completion"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
        (["compare", "--f"], {"--format"}),
        (["compare", "--format", "j"], {"json"}),
        (["summary", "res"], {"results.jsonl"}),
        (["watch", "in"], {"incoming"}),
    ],
    ids=" ".join,
)
def test_bash_completes_commands_options_choices_and_files(words, expected, tmp_path):
    (tmp_path / "results.jsonl").touch()
    (tmp_path / "incoming").mkdir()
    (tmp_path / "inside.txt").touch()
    (tmp_path / "completion").write_text(script("bash"))
    line = " ".join(f"'{word}'" for word in ("aqscore", *words))
    asked = (
        f". ./completion; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _shtab_aqscore 2>/dev/null; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True)
    assert {found.rstrip("/ ") for found in done.stdout.splitlines()} == expected, done.stderr


@pytest.mark.parametrize(("shell", "check"), [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")])
def test_the_script_is_valid(shell, check, tmp_path):
    text = script(shell)
    assert all(command in text for command in COMMANDS)
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "completion").write_text(text)
    subprocess.run([shell, check, tmp_path / "completion"], check=True)
