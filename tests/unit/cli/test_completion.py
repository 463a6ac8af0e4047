"""Help and completion: every command has examples in its help, and shells complete what there is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from aqscore.cli.main import main
from tests.conftest import EXAMPLES, ROOT

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


def test_without_arguments_the_help_is_shown(capsys):
    assert main([]) == 2
    assert "aqscore score calls/" in capsys.readouterr().err


def test_a_recording_in_the_place_of_the_command_is_answered_by_the_command(capsys):
    with pytest.raises(SystemExit) as exit:
        main([str(EXAMPLES / "noisy.flac"), "--jobs", "1"])
    assert exit.value.code == 2
    assert f"aqscore score {EXAMPLES / 'noisy.flac'} --jobs 1" in capsys.readouterr().err


def offered_by_bash(words: list[str], folder: Path) -> set[str]:
    line = " ".join(f"'{word}'" for word in ("aqscore", *words))
    asked = (
        f". ./completion; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _shtab_aqscore 2>/dev/null; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", asked], cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stdout.split("\n"))


def offered_by_fish(words: list[str], folder: Path) -> set[str]:
    asked = "source completion; complete -C $argv"
    line = " ".join(["aqscore", *words])
    environment = os.environ | {"HOME": str(folder)}
    done = subprocess.run(
        ["fish", "--no-config", "-c", asked, line],
        cwd=folder, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {found.split("\t")[0] for found in done.stdout.split("\n")}


# Completes one line in the editor of an interactive shell, and writes what is offered to a file.
ZSHRC = """\
fpath=($ZDOTDIR $fpath); autoload -U compinit; compinit -u -D
compadd() {
  local -a matches
  if (( ! ${argv[(I)-[OAD]]} )); then
    builtin compadd -O matches "$@"
    print -rl -- $matches >> $OFFERED
  fi
  builtin compadd "$@"
}
zle -C offer list-choices _main_complete
complete-and-exit() { BUFFER=$LINE_TO_COMPLETE; CURSOR=$#BUFFER; zle offer; BUFFER=exit; zle accept-line }
zle -N zle-line-init complete-and-exit
"""


def offered_by_zsh(words: list[str], folder: Path) -> set[str]:
    settings = folder / ".zsh"  # hidden, or it were offered
    settings.mkdir()
    (settings / "_aqscore").write_text((folder / "completion").read_text())
    (settings / ".zshrc").write_text(ZSHRC)
    offered = settings / "offered"
    offered.touch()
    line = " ".join(["aqscore", *words])
    child = pexpect.spawn(
        "zsh", ["-i"], cwd=folder, timeout=120, encoding="utf-8",
        env=os.environ | {
            "ZDOTDIR": str(settings), "TERM": "dumb", "OFFERED": str(offered), "LINE_TO_COMPLETE": line,
        },
    )  # fmt: skip
    child.expect(pexpect.EOF)
    child.close()
    return set(offered.read_text().split("\n"))


OFFERED_BY = {"bash": offered_by_bash, "zsh": offered_by_zsh, "fish": offered_by_fish}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["com"], {"compare", "completion"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
        (["compare", "--f"], {"--format"}),
        (["compare", "--format", "j"], {"json"}),
        (["summary", "res"], {"results.jsonl"}),
        (["watch", "in"], {"incoming"}),
        (["score", "results.jsonl", "in"], {"incoming", "inside.txt"}),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("shell", OFFERED_BY)
def test_shells_complete_commands_options_choices_and_files(shell, words, expected, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "results.jsonl").touch()
    (tmp_path / "incoming").mkdir()
    (tmp_path / "inside.txt").touch()
    (tmp_path / "completion").write_text(script(shell))
    offered = {found.rstrip("/ ") for found in OFFERED_BY[shell](words, tmp_path)} - {""}
    assert offered == expected


@pytest.mark.parametrize(("shell", "check"), [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")])
def test_the_script_is_valid(shell, check, tmp_path):
    text = script(shell)
    assert all(command in text for command in COMMANDS)
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "completion").write_text(text)
    subprocess.run([shell, check, tmp_path / "completion"], check=True)
