"""Ships an exported model: `python -m training.release.promote --model DIR --version X`.

First it checks a copy: the features must be those of this version, and both runtimes must give the
conformance signals the pinned scores. Then model.json gets name, version and the files' hashes, the card is
rendered from it, and the five files replace those in model_artifacts/.
"""

import argparse
import hashlib
import json
import re
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Literal

from aqscore.config import ScorerConfig
from aqscore.errors import SetupError
from training.release import card, conformance

PINNED = "conformance.json"
CARD = "MODEL_CARD.md"


def promote(model: Path, out: Path, name: str | None, version: str | None) -> dict:
    """Checks the folder ``model`` and moves a copy of its files into ``out``; returns the new model.json.

    ``name`` and ``version`` stay as exported when None. Raises SetupError when the folder is not a model of
    this code or does not conform, and when ``out`` has other weights under the same name and version.
    """
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".release-") as folder:
        info = _info(model)
        copy = Path(shutil.copytree(model, folder, dirs_exist_ok=True))
        info |= {"name": name or info["name"], "version": version or info["version"]}
        info["files"] = {
            kind: each | {"sha256": hashlib.sha256((copy / each["name"]).read_bytes()).hexdigest()}
            for kind, each in info["files"].items()
        }
        _check_name(info, out)
        (copy / "model.json").write_text(json.dumps(info, indent=2) + "\n")
        check(copy)
        (copy / CARD).write_text(card.render(info))
        out.mkdir(exist_ok=True)
        # model.json last: until then the old one's hashes reject the new files, and nothing scores wrongly.
        for file in [*(each["name"] for each in info["files"].values()), PINNED, CARD, "model.json"]:
            (copy / file).replace(out / file)
    return info


def check(folder: Path) -> None:
    """Raises SetupError when a runtime can't load the model, or gives a signal other values than pinned."""
    pinned = json.loads((folder / PINNED).read_text())
    runtimes: tuple[Literal["onnx", "tensorflow"], ...] = ("onnx", "tensorflow")
    for runtime in runtimes:
        for measure, found in conformance.values_of(
            replace(ScorerConfig(), model_dir=folder, runtime=runtime)
        ).items():
            for signal, expected in pinned[measure].items():
                if _difference(found.get(signal), expected) > pinned["tolerance"]:
                    raise SetupError(
                        f"With {runtime}, the signal “{signal}” has {measure} {found.get(signal)}, expected "
                        f"{expected} within {pinned['tolerance']}: the model is not the one that was "
                        "exported.",
                        advice="Export the run again: python -m training.release.export",
                    )


def _difference(found: float | None, expected: float | None) -> float:
    if found is None or expected is None:
        return 0.0 if found is expected else float("inf")
    return abs(found - expected)


def _info(folder: Path) -> dict:
    needed = ("model.json", "model.onnx", "model.keras", PINNED)
    missing = [file for file in needed if not (folder / file).exists()]
    if missing:
        raise SetupError(
            f"{folder} has no {' and no '.join(missing)}, expected a folder that training.release.export "
            "wrote.",
            advice="make train writes such a folder, runs/model.",
        )
    return json.loads((folder / "model.json").read_text())


def _check_name(info: dict, out: Path) -> None:
    """Raises SetupError for other weights of the same name and version: reports name a model by both."""
    if not (out / "model.json").exists():
        return
    shipped = json.loads((out / "model.json").read_text())
    is_same_name = (shipped["name"], shipped["version"]) == (info["name"], info["version"])
    if is_same_name and shipped["files"] != info["files"]:
        raise SetupError(
            f"There is another model {info['name']} {info['version']} in {out}, with other weights.",
            advice="Give this one a version of its own: --version.",
        )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.release.promote", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--model", type=Path, required=True, help="folder that training.release.export wrote")
    parser.add_argument("--version", type=_version, help="e.g. 1.1.0; the export's own by default")
    parser.add_argument("--name", help="e.g. our-calls; the export's own by default")
    parser.add_argument(
        "--out", type=Path, default=ScorerConfig().model_dir, help="model_artifacts by default"
    )
    options = parser.parse_args(arguments)
    try:
        info = promote(options.model, options.out, options.name, options.version)
    except SetupError as error:
        print(f"{error.message} {error.advice}", file=sys.stderr)
        return 1
    print(
        f"{info['name']} {info['version']} is in {options.out}. "
        "Now: python -m infra.documents, make test, then make deploy."
    )
    return 0


def _version(text: str) -> str:
    if not re.fullmatch(r"\d+\.\d+\.\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a version, expected three numbers such as 1.1.0")
    return text


if __name__ == "__main__":
    sys.exit(main())
