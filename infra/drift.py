"""Suggests thresholds for the alarms on score drift: ``python -m infra.drift [RESULT ...]``.

RESULT is a file of results (JSON or JSON lines) or a folder of them. Without one, the model's development
clips serve as reference. The thresholds are the quartiles of single scores: a daily mean of many recordings
rarely leaves the middle half by chance.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from aqscore.config import ScorerConfig

MIN_SCORES = 20


def card_scores(info: dict) -> list[float]:
    """Scores of the development clips at evenly spaced ranks, from the interval table of a model.json."""
    return info["interval"]["score"]


def scores_in(paths: Iterable[Path]) -> Iterator[float]:
    """The scores in these files and folders. Error records and results without a score are skipped."""
    for path in paths:
        files = sorted([*path.rglob("*.json"), *path.rglob("*.jsonl")]) if path.is_dir() else [path]
        for file in files:
            for line in file.read_text().splitlines():
                score = json.loads(line).get("score")
                if score is not None:
                    yield score


def suggestion(scores: list[float]) -> str:
    """The stack's parameters: the first and the third quartile of the scores."""
    low, high = np.quantile(scores, [0.25, 0.75])
    return f"ExpectedScoreLow={low:.2f} ExpectedScoreHigh={high:.2f}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.drift", description=__doc__.split("\n")[0])
    parser.add_argument("results", nargs="*", type=Path, metavar="RESULT", help="results, or folders of them")
    paths = parser.parse_args(arguments).results
    if not paths:
        info = json.loads((ScorerConfig.from_env().model_dir / "model.json").read_text())
        print(f"Development clips of {info['name']} {info['version']}: {suggestion(card_scores(info))}")
        print("These clips are degraded on purpose. Use a week of your own results once you have them.")
        return 0
    if missing := [str(path) for path in paths if not path.exists()]:
        parser.error(f"there is no {', '.join(missing)}")
    scores = list(scores_in(paths))
    if len(scores) < MIN_SCORES:
        print(f"{len(scores)} scores are too few for a suggestion, expected at least {MIN_SCORES}.")
        return 1
    print(f"{len(scores):,} results, mean {np.mean(scores):.2f}: {suggestion(scores)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
