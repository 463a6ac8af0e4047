"""The evaluation's rows: a measure, its confidence interval, and what is asked of it."""

import numpy as np
from rich.console import Console
from rich.table import Table

from training.evaluation.metrics import bootstrap

HIGHER, LOWER, WITHIN = "at least", "at most", "within"


def measured(name: str, measure, columns: list[np.ndarray], way: str, bar, aim) -> dict:
    """A row with a confidence interval: ``measure(*columns)``, resampled over the columns' rows.

    Of no rows at all, as when a model refuses every clip, nothing is measured.
    """
    if len(columns[0]) == 0:
        return plain(name, np.nan, way, bar, aim)
    low, high = bootstrap(measure, *columns)
    return plain(name, measure(*columns), way, bar, aim) | {"low": rounded(low), "high": rounded(high)}


def plain(name: str, value: float, way: str, bar, aim) -> dict:
    """A row without one."""
    return {
        "name": name,
        "value": rounded(value),
        "low": None,
        "high": None,
        "way": way,
        "bar": bar,
        "aim": aim,
    }


def print_table(metrics: dict) -> None:
    """Prints the measures with what is asked of them."""
    table = Table(
        "measure", "value", "95 % interval", "bar", "aim", "bar met", "aim met", title="Development split"
    )
    for row in metrics["rows"]:
        interval = "" if row["low"] is None else f"{value_text(row['low'])} to {value_text(row['high'])}"
        asked = [asked_text(row["way"], row[name]) for name in ("bar", "aim")]
        met = ["" if row[name] is None else ("yes" if is_met(row, name) else "NO") for name in ("bar", "aim")]
        table.add_row(row["name"], value_text(row["value"]), interval, *asked, *met)
    Console(width=130).print(table)
    for name, (count, total) in metrics["refused"].items():
        print(f"{name}: {count} of {total} clips refused as holding no speech, so they have no score")


def is_met(row: dict, level: str) -> bool:
    """Whether a row reaches its ``bar`` or ``aim``; what could not be measured reaches none."""
    if row["value"] is None:
        return False
    if row["way"] == WITHIN:
        return row[level][0] <= row["value"] <= row[level][1]
    return row["value"] >= row[level] if row["way"] == HIGHER else row["value"] <= row[level]


def rounded(value: float) -> float | None:
    """Rounded for a file; what is not finite has no place in JSON."""
    return round(float(value), 4) if np.isfinite(value) else None


def asked_text(way: str, level) -> str:
    """A bar or aim in words; empty when there is none."""
    if level is None:
        return ""
    return f"{level[0]} to {level[1]}" if way == WITHIN else f"{way} {level:,}"


def value_text(value: float | None) -> str:
    """A measure's value with the digits that matter."""
    if value is None:
        return "none"
    return f"{value:,.0f}" if value > 1000 else f"{value:.4g}"
