"""The evaluation's rows: a measure, its confidence interval, its threshold and its target."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from training.evaluation.statistics import bootstrap, pearson, rmse

AT_LEAST, AT_MOST, WITHIN = "at least", "at most", "within"


def measured(
    name: str,
    measure: Callable[..., float],
    columns: Sequence[np.ndarray],
    comparison: str,
    threshold: Any,
    target: Any,
) -> dict:
    """A row with a confidence interval: ``measure(*columns)``, resampled over the columns' rows.

    ``threshold`` must be met for a release, ``target`` is the goal beyond it; each a number, a pair for
    ``WITHIN``, or None. Without any row, as when no clip has a score, the value is None.
    """
    if len(columns[0]) == 0:
        return plain(name, np.nan, comparison, threshold, target)
    low, high = bootstrap(measure, *columns)
    row = plain(name, measure(*columns), comparison, threshold, target)
    return row | {"low": rounded(low), "high": rounded(high)}


def plain(name: str, value: float, comparison: str, threshold: Any, target: Any) -> dict:
    """A row without a confidence interval."""
    return {
        "name": name,
        "value": rounded(value),
        "low": None,
        "high": None,
        "comparison": comparison,
        "threshold": threshold,
        "target": target,
    }


def errors(true: np.ndarray, predicted: np.ndarray) -> dict:
    """The card's entry for a group of (n,) scores: clips, Pearson (of three or more), RMSE and mean error."""
    return {
        "clips": len(true),
        "pearson": rounded(pearson(true, predicted)) if len(true) > 2 else None,
        "rmse": rounded(rmse(true, predicted)),
        "bias": rounded(float(np.mean(predicted - true))),
    }


def print_table(metrics: dict) -> None:
    """Prints the measures with their thresholds and targets, those of recordings from elsewhere first.

    Models before 2.0.0 have no "elsewhere" in their ``metrics``.
    """
    elsewhere = metrics.get("elsewhere") or {"rows": []}
    table = Table(
        "measure",
        "value",
        "95 % interval",
        "threshold",
        "met",
        "target",
        "met",
        title="Recordings from elsewhere, and the development split",
    )
    for row in [*elsewhere["rows"], *metrics["rows"]]:
        table.add_row(*row_cells(row, yes="yes", no="NO"))
    Console(width=130).print(table)
    for name, (count, total) in metrics["unscored"].items():
        print(f"{name}: no speech was found in {count} of {total} clips, so they have no score")


def row_cells(row: dict, yes: str, no: str) -> list[str]:
    """A row's cells: name, value, interval, threshold, whether met, target, whether met."""
    interval = "" if row["low"] is None else f"{value_text(row['low'])} to {value_text(row['high'])}"
    cells = [row["name"], value_text(row["value"]), interval]
    for level in ("threshold", "target"):
        met = "" if row[level] is None else (yes if is_met(row, level) else no)
        cells += [level_text(row["comparison"], row[level]), met]
    return cells


def is_met(row: dict, level: str) -> bool:
    """Whether a row meets its ``threshold`` or ``target``; a missing value meets none."""
    if row["value"] is None:
        return False
    if row["comparison"] == WITHIN:
        return row[level][0] <= row["value"] <= row[level][1]
    return row["value"] >= row[level] if row["comparison"] == AT_LEAST else row["value"] <= row[level]


def rounded(value: float) -> float | None:
    """Rounded for a file; None for a value that is not finite, which JSON can't hold."""
    return round(float(value), 4) if np.isfinite(value) else None


def level_text(comparison: str, level: Any) -> str:
    """A threshold or target in words; empty for None."""
    if level is None:
        return ""
    return f"{level[0]} to {level[1]}" if comparison == WITHIN else f"{comparison} {level:,}"


def value_text(value: float | None) -> str:
    """A measure's value with the digits that matter."""
    if value is None:
        return "none"
    return f"{value:,.0f}" if value > 1000 else f"{value:.4g}"
