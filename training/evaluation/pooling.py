"""Compares power means for pooling: `python -m training.evaluation.pooling --corpus DIR`.

Pools the true frame scores of the speech in clips whose quality changes, by power means of their distance
from the best score, and compares with PESQ of the whole clip. Config.power was chosen by it.
"""

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from aqscore.causes import CAUSES
from aqscore.model.pooling import FrameScores
from training.corpus.sets import TRAIN_SET
from training.evaluation.statistics import rmse
from training.network.dataset import clip_path, load_clip, read_manifest

POWERS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)
CLIPS = 1_500  # of a set, at most
SETS = (TRAIN_SET, "dev_bursts")


def pooling_errors(corpus: Path, name: str) -> list[tuple[float, float, float]]:
    """[(power, RMSE, mean error)] over a set's clips whose frame scores differ."""
    true, frames = [], []
    for clip in read_manifest(corpus, name):
        arrays = load_clip(clip_path(corpus, clip))
        spoken = (arrays["speech"] > 0.5) & np.isfinite(arrays["frame_scores"])
        score = arrays["frame_scores"][spoken]
        if len(score) and np.ptp(score):
            true.append(clip["pesq_wb"])
            ones, no_causes = np.ones_like(score), np.zeros((len(score), len(CAUSES)), np.float32)
            frames.append(FrameScores(score, ones, ones, ones, no_causes, no_causes))
        if len(true) == CLIPS:
            break
    rows = []
    for power in POWERS:
        pooled = np.array([scores.overall(power) for scores in frames])
        rows.append((power, rmse(np.array(true), pooled), float(np.mean(pooled - np.array(true)))))
    return rows


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluation.pooling", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--corpus", type=Path, required=True, help="folder that training.corpus.build writes")
    options = parser.parse_args(arguments)
    table = Table("set", "power", "RMSE", "mean error")
    for name in SETS:
        for power, error, bias in pooling_errors(options.corpus, name):
            table.add_row(name, f"{power:g}", f"{error:.3f}", f"{bias:+.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
