"""Measures what the model says beside the score: the listeners' MOS and the causes of a low score.

MOS and areas come from the network alone, on the development clips that are not used for calibration. The
first cause comes from the pipeline's results for all of them.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from aqscore.causes import CAUSES, CauseKind
from aqscore.model.pooling import FrameScores
from aqscore.model.runtimes import Network
from training.corpus.causes import CAUSE_OF
from training.evaluation.calibration import MOS_SETS, is_for_calibration
from training.evaluation.robustness import Run
from training.evaluation.statistics import pearson, rmse, roc_auc
from training.evaluation.table import AT_LEAST, AT_MOST, measured, plain, rounded
from training.network.dataset import clip_path, load_clip, read_manifest
from training.network.losses import ABSENT_COST, PRESENT_COST

LOW_SCORE = 3.0  # MOS-LQO: below it the cause should be named right
MIN_CLIPS = 12  # with a cause, for its areas
FRAMES_PER_CLIP = 40  # successive ones tell little more


def measure(network: Network, corpus: Path, runs: list[Run]) -> dict:
    """Returns "rows" for ``print_table`` and "causes": {kind: clips, area under ROC of frames and clips}.

    ``runs`` are the results of the pipeline for the clips of the development sets.
    """
    clips = [clip for clip in read_manifest(corpus, *MOS_SETS) if not is_for_calibration(clip)]
    frames: dict[str, list] = {kind: [] for kind in CAUSES}
    whole: dict[str, list] = {kind: [] for kind in CAUSES}
    mos: list[tuple[float, float]] = []
    for clip in clips:
        arrays = load_clip(clip_path(corpus, clip))
        found = network(arrays["frames"])
        if np.isfinite(arrays["mos"]):
            mos.append((float(arrays["mos"]), found.overall_mos()))
        spoken = np.flatnonzero(arrays["speech"] > 0.5)
        if len(spoken):
            _add_causes(frames, whole, arrays["costs"][spoken], found, spoken)
    areas = {
        kind: {
            "clips": sum(present for present, _ in whole[kind]),
            "frames": _area(frames[kind]),
            "recordings": _area(whole[kind]),
        }
        for kind in CAUSES
        if sum(present for present, _ in whole[kind]) >= MIN_CLIPS
    }
    true, predicted = np.array(mos).reshape(-1, 2).T
    right = np.array(list(_named_right(runs)), float)
    return {
        "rows": [
            measured("MOS: Pearson with the teacher", pearson, (true, predicted), AT_LEAST, 0.90, 0.95),
            measured("MOS: RMSE to the teacher", rmse, (true, predicted), AT_MOST, 0.35, 0.25),
            plain("causes: ROC area of frames, mean", _mean(areas, "frames"), AT_LEAST, 0.90, 0.95),
            plain("causes: ROC area of recordings, mean", _mean(areas, "recordings"), AT_LEAST, 0.93, 0.97),
            measured("single cause under 3.0 named first", np.mean, [right], AT_LEAST, 0.80, 0.92),
        ],
        "causes": areas,
    }


def _add_causes(
    frames: dict[str, list], whole: dict[str, list], costs: np.ndarray, found: FrameScores, spoken: np.ndarray
) -> None:
    """Adds (present, probability) pairs of the clip's speech frames, and of the clip, to each cause."""
    probability = found.causes[spoken]
    chosen = np.linspace(0, len(spoken) - 1, min(FRAMES_PER_CLIP, len(spoken))).astype(int)
    for number, kind in enumerate(CAUSES):
        column = costs[:, number]
        clear = (column < ABSENT_COST) | (column >= PRESENT_COST)
        frames[kind] += [
            (bool(column[at] >= PRESENT_COST), float(probability[at, number])) for at in chosen if clear[at]
        ]
        present = column >= PRESENT_COST
        if present.any() or np.all(column < ABSENT_COST):
            part = present if present.any() else slice(None)
            whole[kind].append((bool(present.any()), float(probability[part, number].mean())))


def _area(pairs: list[tuple[bool, float]]) -> float | None:
    present, probability = np.array(pairs, float).T
    return rounded(roc_auc(present > 0, probability))


def _mean(areas: Mapping[CauseKind, dict], name: str) -> float:
    values = [area[name] for area in areas.values() if area[name] is not None]
    return float(np.mean(values)) if values else np.nan


def _named_right(runs: Iterable[Run]) -> Iterable[bool]:
    """Whether the first cause is right, for the clips with one degradation and a low score."""
    for run in runs:
        kinds = {record["kind"] for record in run.clip["degradations"]} - {"clean"}
        if len(kinds) == 1 and run.result.causes is not None and (run.clip["pesq_wb"] or 5) < LOW_SCORE:
            named = run.result.causes[0].kind if run.result.causes else None
            yield named == CAUSE_OF[kinds.pop()]
