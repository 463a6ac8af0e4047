"""The generated parts of README.md: a result of the command, the accuracy of the shipped model, the price."""

import json
from typing import Any

from aqscore import Scorer
from infra.documents.sections import ROOT

PAGE = ROOT / "README.md"
EXAMPLE = "examples/noisy.flac"
# Of the report's fields those that a first reader needs. An absent or empty one is left out.
SHOWN = ("source", "score", "interval", "verdict", "mos", "causes", "worst_segment")
DIGITS = 2  # the third may differ between machines


def result() -> str:
    """The report of the example as a block of JSON with a line for each shown field."""
    report = Scorer().score(ROOT / EXAMPLE, frames=False).model_dump(mode="json")
    shown = {name: _rounded(report[name]) for name in SHOWN if report.get(name)}
    shown["source"] = {"file": EXAMPLE}
    lines = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in shown.items())
    return "```json\n{\n" + ",\n".join(lines) + "\n}\n```\n"


def accuracy(described: dict[str, Any]) -> str:
    """A sentence about the errors on recordings from elsewhere, from model.json."""
    elsewhere = described["metrics"]["elsewhere"]
    rows = {row["name"].removeprefix("elsewhere: "): row for row in elsewhere["rows"]}
    pearson, clean = rows["Pearson, everything"], rows["mean error of clean recordings"]["value"]
    direction = "low" if clean < 0 else "high"
    return (
        f"**Accuracy**, on {elsewhere['recordings']} recordings that share no speaker, room, noise or codec "
        f"with the\ntraining: correlation with PESQ {pearson['value']:.2f} ({pearson['low']:.2f} to "
        f"{pearson['high']:.2f}), RMSE {rows['RMSE, everything']['value']:.2f}; clean recordings score "
        f"{abs(clean):.2f} too {direction} in the mean. The\n[model card](model_artifacts/MODEL_CARD.md) "
        "says which targets are not met.\n"
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return value
