"""``aqscore model``: the model's version, its card in short, and a check of its files and scores."""

import argparse
from pathlib import Path
from typing import Any

EXAMPLES = """\
examples:
  aqscore model                       the shipped model, or AQSCORE_MODEL_DIR's
  aqscore model --model runs/model    a model of your own
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of ``aqscore model``."""
    parser.set_defaults(run=run)
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="folder of the model")


def run(options: argparse.Namespace) -> int:
    """Prints the card and the checks. Returns 0; 1 if a signal's score differs; 2 if the model can't load."""
    from dataclasses import replace

    from rich.console import Console
    from rich.table import Table

    from aqscore.cli.messages import print_error
    from aqscore.config import ScorerConfig
    from aqscore.conformance import checks
    from aqscore.errors import SetupError
    from aqscore.model.loading import load_model, read_model_info

    console = Console(highlight=False)
    try:
        config = ScorerConfig.from_env()
        if options.model is not None:
            config = replace(config, model_dir=options.model)
        console.print(_card(read_model_info(config.model_dir)), markup=False, soft_wrap=True)
        console.print(f"folder      {config.model_dir}", markup=False, soft_wrap=True)
        model = load_model(config)
        found = checks(config)
    except SetupError as error:
        print_error(error)
        return 2
    console.print(
        f"file        sha256 {model.sha256[:16]}... as model.json names it, {config.runtime} runtime\n"
    )
    table = Table("conformance signal", "pinned", "here", "", box=None, pad_edge=False)
    for check in found:
        verdict = "[green]ok[/]" if check.passed else "[bold red]differs[/]"
        table.add_row(check.signal, _number(check.pinned), _number(check.found), verdict)
    console.print(table)
    if failed := sum(not check.passed for check in found):
        console.print(
            f"\n[bold red]{failed} of {len(found)} values differ from those pinned.[/] "
            "Install the dependencies again, or another version of onnxruntime."
        )
        return 1
    return 0


def _card(info: dict[str, Any]) -> str:
    """Name, version and the measures that have a target, from a model.json."""
    lines = [
        f"{info['name']} {info['version']}, {info.get('scale')}, made {str(info.get('created'))[:10]}, "
        f"{info.get('parameters', 0):,} parameters",
        "",
    ]
    for row in info.get("metrics", {}).get("rows", []):
        if (target := row.get("target")) is None:
            continue
        met = row["value"] >= target if row["comparison"] == "at least" else row["value"] <= target
        verdict = "met" if met else "missed"
        sign = "≥" if row["comparison"] == "at least" else "≤"
        lines.append(f"{row['name']:<46}{row['value']:>8.4g}   target {sign} {target:<6g} {verdict}")
    return "\n".join([*lines, "", "card        MODEL_CARD.md in the folder"])


def _number(score: float | None) -> str:
    return "no score" if score is None else f"{score:.3f}"
