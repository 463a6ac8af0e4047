"""Measures a model on labelled recordings that came from elsewhere, such as a field set.

A manifest is a file of JSON lines beside its recordings: ``file``, a path relative to the manifest; ``pesq``,
the PESQ-WB of it; and, optionally, ``set``, a name to report apart, and ``kinds``, a list of degradations.
Other fields are ignored.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from aqscore.config import ScorerConfig
from aqscore.pipeline import score_file
from aqscore.report import Scored
from training.evaluation.statistics import covered, pearson, rmse
from training.evaluation.table import AT_LEAST, AT_MOST, WITHIN, errors, measured, plain

# Threshold and target of Pearson's correlation for these names of sets.
CORRELATIONS = {"noise": (0.95, 0.97), "all": (0.90, 0.93)}
EVERYTHING = (0.92, 0.95)
CLEAN_SET = "clean"
MIN_CLIPS = 12  # for figures of one kind of degradation
EXPECTED = 'an object such as {"file": "a/1.flac", "pesq": 2.31, "set": "noise", "kinds": ["noise"]}'


class Labelled(NamedTuple):
    """A line of the manifest, and the result of its recording from the pipeline."""

    line: dict
    result: Scored


def measure(manifest: Path, settings: ScorerConfig) -> dict:
    """Scores the recordings; returns "rows" for ``print_table``, and "groups": the errors by single kind.

    Raises OSError when the manifest or a recording is missing, ValueError when a line can't be read, and the
    errors of ``score_file``.
    """
    runs = []
    for line in tqdm(read_lines(manifest), desc=str(manifest), unit="recording", mininterval=1.0):
        with (manifest.parent / line["file"]).open("rb") as file:
            runs.append(Labelled(line, score_file(file, settings, frames=False)))
    return {"rows": _rows(runs), "groups": _groups(runs), "recordings": len(runs)}


def read_lines(manifest: Path) -> list[dict]:
    """The manifest's lines; empty ones are skipped.

    Raises OSError when there is no manifest, ValueError for a line without ``file`` and ``pesq``, or when no
    line is left.
    """
    lines = []
    for number, text in enumerate(manifest.read_text().splitlines(), 1):
        if text.strip():
            lines.append(_line(text, f"{manifest}, line {number}"))
    if not lines:
        raise ValueError(f"{manifest} names no recording, expected one on each line: {EXPECTED}.")
    return lines


def _line(text: str, place: str) -> dict:
    problem: str | None
    try:
        line = json.loads(text)
    except ValueError as error:
        problem = f"is not JSON ({error})"
    else:
        problem = _problem(line)
    if problem is not None:
        raise ValueError(f"{place} {problem}, expected {EXPECTED}. Correct or remove the line.")
    return line


def _problem(line: Any) -> str | None:
    if not isinstance(line, dict):
        return "is not an object"
    if not isinstance(line.get("file"), str):
        return f"has the file {line.get('file')!r}"
    pesq = line.get("pesq")
    if isinstance(pesq, bool) or not isinstance(pesq, int | float) or not np.isfinite(pesq):
        return f"has the pesq {pesq!r}"
    if not isinstance(line.get("set", ""), str):
        return f"has the set {line['set']!r}"
    kinds = line.get("kinds", [])
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
        return f"has the kinds {kinds!r}"
    return None


def _rows(runs: list[Labelled]) -> list[dict]:
    scored = [run for run in runs if run.result.score is not None]
    sets = {name: [run for run in scored if run.line.get("set") == name] for name in CORRELATIONS}
    clean = [run for run in scored if run.line.get("set") == CLEAN_SET]
    rows = [
        measured("elsewhere: Pearson, everything", pearson, _columns(scored), AT_LEAST, *EVERYTHING),
        measured("elsewhere: RMSE, everything", rmse, _columns(scored), AT_MOST, None, None),
    ]
    for name, levels in CORRELATIONS.items():
        if sets[name]:
            title = f"elsewhere: Pearson, set {name}"
            rows.append(measured(title, pearson, _columns(sets[name]), AT_LEAST, *levels))
    if clean:
        error = np.subtract(*_columns(clean)[::-1])
        rows.append(
            measured("elsewhere: mean error of clean recordings", np.mean, [error], AT_LEAST, -0.3, -0.15)
        )
    rows.append(
        measured(
            "elsewhere: 90 % interval covers the true score",
            np.mean,
            [_covered(scored)],
            WITHIN,
            (0.85, 0.95),
            (0.88, 0.92),
        )
    )
    kinds = _by_kind(scored)
    if kinds:
        lowest = min(float(np.mean(_covered(each))) for each in kinds.values())
        rows.append(plain("elsewhere: lowest coverage of a kind", lowest, AT_LEAST, 0.75, None))
    rows.append(plain("elsewhere: recordings without a score", len(runs) - len(scored), AT_MOST, None, None))
    return rows


def _groups(runs: list[Labelled]) -> dict[str, dict]:
    scored = [run for run in runs if run.result.score is not None]
    return {kind: errors(*_columns(members)) for kind, members in _by_kind(scored).items()}


def _by_kind(runs: list[Labelled]) -> dict[str, list[Labelled]]:
    """The recordings with one kind of degradation, by kind; "clean" are those with none."""
    kinds: dict[str, list[Labelled]] = {}
    for run in runs:
        named = run.line.get("kinds", [])
        if len(named) < 2:
            kinds.setdefault(named[0] if named else CLEAN_SET, []).append(run)
    return {kind: members for kind, members in sorted(kinds.items()) if len(members) >= MIN_CLIPS}


def _columns(runs: list[Labelled]) -> tuple[np.ndarray, np.ndarray]:
    """The runs' true and predicted scores, (runs,) each."""
    return np.array([run.line["pesq"] for run in runs]), np.array([run.result.score for run in runs])


def _covered(runs: list[Labelled]) -> np.ndarray:
    """(runs,) whether the interval covers the true score."""
    return covered(_columns(runs)[0], [run.result.interval for run in runs])
