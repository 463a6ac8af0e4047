"""Compares scores with human ratings: `python -m training.evaluation.human_scores SCORES.csv [--model DIR]`.

The CSV has a header and the columns path, MOS and optionally condition. Paths are relative to the CSV.
Prints Pearson, Spearman and RMSE per file and per condition (means), for the score and for the predicted MOS.
The RMSE of the score compares two scales, MOS-LQO and the raters' MOS: a model with a high correlation may
still have a large one.
"""

import argparse
import csv
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from aqscore.config import ScorerConfig
from aqscore.errors import PermanentError
from aqscore.pipeline import score_file
from training.evaluation.statistics import bootstrap, pearson, rmse, spearman

MEASURES = {"Pearson": pearson, "Spearman": spearman, "RMSE": rmse}
PREDICTIONS = ("score", "mos")  # fields of a report
MIN_ROWS = 3


def read_rows(path: Path) -> list[tuple[Path, float, str | None]]:
    """The CSV's rows as (file, MOS, condition or None).

    Raises ValueError, naming the line, when a column is missing or a MOS is not a number from 1 to 5.
    """
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if not {"path", "MOS"} <= set(reader.fieldnames or ()):
            raise ValueError(
                f"{path} has the columns {reader.fieldnames}, expected path, MOS and optionally condition."
            )
        rows = []
        for line in reader:
            try:
                mos = float(line["MOS"])
            except (TypeError, ValueError):
                mos = 0.0
            if not 1 <= mos <= 5:
                raise ValueError(
                    f"{path}, line {reader.line_num}: MOS is {line['MOS']!r}, expected a number from 1 to 5."
                )
            rows.append((path.parent / line["path"], mos, line.get("condition") or None))
    return rows


def compare(
    rows: list[tuple[Path, float, str | None]], settings: ScorerConfig
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Scores the files; returns arrays of (raters' MOS, prediction) by what they compare.

    The keys are such as "score per file" and, where conditions are given, "mos per condition". Files that get
    no score are printed with the reason and left out.
    """
    found = []
    for path, mos, condition in tqdm(rows, unit="file", mininterval=1.0):
        try:
            with path.open("rb") as file:
                result = score_file(file, settings, frames=False)
        except (PermanentError, OSError) as error:
            tqdm.write(f"{path}: {error}")
            continue
        if result.score is None:
            tqdm.write(f"{path}: {result.warnings[0].message}")
            continue
        found.append((condition, (mos, result.score, result.mos)))
    columns = _columns("file", [values for _, values in found])
    conditions = defaultdict(list)
    for condition, values in found:
        if condition is not None:
            conditions[condition].append(values)
    if conditions:
        columns |= _columns(
            "condition", [np.mean(np.array(rows, float), axis=0) for rows in conditions.values()]
        )
    return columns


def _columns(unit: str, rows: list) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Both comparisons from rows of the raters' MOS and the ``PREDICTIONS``."""
    mos, *predictions = np.array(rows, float).reshape(-1, 1 + len(PREDICTIONS)).T
    return {f"{name} per {unit}": (mos, found) for name, found in zip(PREDICTIONS, predictions, strict=True)}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluation.human_scores", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("csv", type=Path, help="file with the columns path, MOS and optionally condition")
    parser.add_argument(
        "--model",
        type=Path,
        default=ScorerConfig().model_dir,
        help="folder that training.release.export wrote",
    )
    options = parser.parse_args(arguments)
    columns = compare(read_rows(options.csv), replace(ScorerConfig(), model_dir=options.model))
    for name, (mos, scores) in columns.items():
        if len(mos) < MIN_ROWS:
            print(f"{name}: {len(mos)} scored, at least {MIN_ROWS} are needed to compare")
            continue
        for label, measure in MEASURES.items():
            low, high = bootstrap(measure, mos, scores)
            value = measure(mos, scores)
            print(f"{name} ({len(mos)}): {label} {value:.3f} (95 % interval {low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
