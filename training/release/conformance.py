"""Conformance signals, their pinned scores and MOS: `python -m training.release.conformance --model DIR`.

Writes conformance.json beside the model. `aqscore.conformance` makes the signals, and compares the scores of
an installation with these.
"""

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import soundfile as sf

from aqscore.config import ScorerConfig
from aqscore.conformance import RATE, signals
from aqscore.pipeline import score_file

TOLERANCE = 0.005


def values_of(settings: ScorerConfig) -> dict[str, dict[str, float | None]]:
    """The pipeline's ``scores``, MOS-LQO, and ``mos`` of the signals; None where it finds no speech."""
    found: dict[str, dict[str, float | None]] = {"scores": {}, "mos": {}}
    for name, samples in signals().items():
        with tempfile.TemporaryFile(suffix=".wav") as file:
            sf.write(file, samples, RATE, format="WAV", subtype="PCM_16")
            file.seek(0)
            report = score_file(file, settings, frames=False)
            found["scores"][name], found["mos"][name] = report.score, report.mos
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.release.conformance", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=ScorerConfig().model_dir,
        help="folder that training.release.export wrote",
    )
    folder = parser.parse_args(arguments).model
    values = values_of(replace(ScorerConfig(), model_dir=folder))
    pinned = {"tolerance": TOLERANCE, **values}
    (folder / "conformance.json").write_text(json.dumps(pinned, indent=1) + "\n")
    for name, value in values["scores"].items():
        print(f"{name}: {'no score' if value is None else value}")


if __name__ == "__main__":
    main()
