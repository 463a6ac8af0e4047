"""Draws the README's picture of `aqscore score` in a terminal, from a real run: docs/images/score.svg.

    python -m infra.terminal_picture

The recordings are the examples and damaged versions of them, made here.
"""

import os
import re
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

import numpy as np
import soundfile as sf
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
PICTURE = ROOT / "docs" / "images" / "score.svg"
COLUMNS = 100
SEED = 1
END_OF_PROGRESS = "\x1b[2K"  # erases the progress bar


def make_recordings(folder: Path) -> None:
    """Writes six recordings, one of them damaged, and a text file into the folder."""
    speech, rate = sf.read(EXAMPLES / "clean.flac", dtype="float32")
    noise = np.random.default_rng(SEED).standard_normal(len(speech)).astype(np.float32)
    for name, samples in (
        ("0904 reception.flac", speech),
        ("0917 car park.flac", speech + 0.003 * noise),
        ("0931 too loud.flac", np.clip(20 * speech, -1, 1)),
        ("1002 far away.flac", 0.02 * speech),
    ):
        sf.write(folder / name, samples, rate, subtype="PCM_16")
    (folder / "1015 lobby.flac").write_bytes((EXAMPLES / "noisy.flac").read_bytes())
    (folder / "1022 voicemail.wav").write_bytes(b"no audio")
    (folder / "readme.txt").touch()


def picture(folder: Path) -> str:
    """The terminal as SVG, after `aqscore score` has run in the folder."""
    environment = os.environ | {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    done = subprocess.run(
        [sys.executable, "-m", "aqscore", "score", "calls/", "--format", "table", "--jobs", "1"],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT / "function")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 1:  # the damaged one
        raise RuntimeError(f"The command ended with status {done.returncode}: {done.stderr}")
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    console.print(Text("$ aqscore score calls/", style="bold"))
    messages = done.stderr.rpartition(END_OF_PROGRESS)[2]
    console.print(Text.from_ansi(f"{done.stdout}\n{messages}"))
    svg = console.export_svg(title="aqscore", unique_id="aqscore")
    # These rules make a browser ask another site for the font.
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S)


def main() -> None:
    """Writes the picture."""
    with tempfile.TemporaryDirectory() as folder:
        calls = Path(folder) / "calls"
        calls.mkdir()
        make_recordings(calls)
        PICTURE.write_text(picture(Path(folder)))
    print(f"Wrote {PICTURE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
