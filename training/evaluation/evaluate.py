"""Measures a model on the development sets: `python -m training.evaluation.evaluate --corpus DIR`.

Prints every measure with its threshold, its target and a 95 % confidence interval by bootstrap over clips,
and writes metrics.json beside the model. The serving pipeline scores the clips, as files.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from aqscore.config import ScorerConfig
from aqscore.model.features import SPEC
from aqscore.model.loading import load_model
from aqscore.model.runtimes import OnnxNetwork
from training.evaluation import description, manifest
from training.evaluation.calibration import NO_SPEECH_SET, SCORED_SETS, is_for_calibration, is_plain_speech
from training.evaluation.joined import score_joined
from training.evaluation.plots import plot_errors, plot_scatter
from training.evaluation.robustness import CHANGES, Run, score_changes, score_clips
from training.evaluation.statistics import covered, pearson, rmse, roc_auc, shared_error, spearman
from training.evaluation.table import (
    AT_LEAST,
    AT_MOST,
    WITHIN,
    errors,
    measured,
    plain,
    print_table,
)
from training.network.dataset import read_manifest

PAIR_SET, BURST_SET = "dev_pairs", "dev_bursts"
CHANGED_CLIPS = 40
TEN_SECONDS = 625  # frames
TIMED_CALLS = 50
GOOD_SCORE = 3  # MOS-LQO
EDGE_S = SPEC.first_centre_s  # frames nearer to a burst's edge overlap both sides


def evaluate(corpus: Path, model: Path, plots: Path | None = None, elsewhere: Path | None = None) -> dict:
    """Returns the tables of ``print_table`` and the card: "rows", "causes", "groups", "noise_kinds",
    "unscored".

    ``elsewhere`` is a manifest for training.evaluation.manifest, whose measures come first: "elsewhere", None
    without one.

    A row has name, value, low and high (its confidence interval, or null), comparison ("at least",
    "at most", "within"), threshold and target. ``plots`` is a folder for pictures.
    """
    settings = replace(ScorerConfig(), model_dir=model)
    runs = score_clips(corpus, read_manifest(corpus, *SCORED_SETS, PAIR_SET, NO_SPEECH_SET), settings)
    by_set = {
        name: [run for run in runs if run.clip["set"] == name]
        for name in (*SCORED_SETS, PAIR_SET, NO_SPEECH_SET)
    }
    labelled = [run for name in SCORED_SETS for run in by_set[name] if run.clip["pesq_wb"] is not None]
    scored = [run for run in labelled if run.is_scored]
    noise = [run for run in scored if run.clip["set"] == "dev_noise"]
    info = load_model(settings).info
    network = OnnxNetwork(model / info["files"]["onnx"]["name"], threads=1)
    described = description.measure(network, corpus, scored)
    rows = [
        measured("Pearson, additive noise", pearson, _columns(noise), AT_LEAST, 0.95, 0.97),
        measured("RMSE, additive noise", rmse, _columns(noise), AT_MOST, 0.38, 0.30),
        measured("Pearson, all degradations", pearson, _columns(scored), AT_LEAST, 0.93, 0.96),
        measured("Spearman, all degradations", spearman, _columns(scored), AT_LEAST, 0.93, 0.96),
        measured("RMSE, all degradations", rmse, _columns(scored), AT_MOST, None, None),
        plain(
            f"error shared by a speaker's clips above {GOOD_SCORE}",
            _speakers_error(scored),
            AT_MOST,
            None,
            None,
        ),
        measured("pairs 5 dB apart in order", np.mean, [_in_order(by_set[PAIR_SET])], AT_LEAST, 0.98, 0.995),
        *_burst_rows([run for run in by_set[BURST_SET] if run.is_scored and run.clip["burst"]]),
        *_change_rows(corpus, noise, settings),
        *_joined_rows(corpus, scored, settings),
        *_no_speech_rows(by_set[NO_SPEECH_SET], labelled),
        measured(
            "90 % interval covers the true score", np.mean, [_covered(scored)], WITHIN, (0.85, 0.95), None
        ),
        *described["rows"],
        *_cost_rows(info["parameters"], network),
    ]
    groups = _errors(scored, lambda clip: [clip["group"]])
    kinds = _errors(noise, lambda clip: clip["noise_kinds"])
    if plots:
        plot_scatter(
            {name: _columns([run for run in scored if run.clip["set"] == name]) for name in SCORED_SETS},
            plots / "scatter.png",
        )
        plot_errors(groups, "group of degradations", plots / "groups.png")
        plot_errors(kinds, "kind of noise, dev_noise", plots / "noise_kinds.png")
    unscored = {
        name: [sum(not run.is_scored for run in by_set[name]), len(by_set[name])]
        for name in (*SCORED_SETS, PAIR_SET)
    }
    others = manifest.measure(elsewhere, settings) if elsewhere else None
    return {
        "elsewhere": others,
        "rows": rows,
        "causes": described["causes"],
        "groups": groups,
        "noise_kinds": kinds,
        "unscored": unscored,
    }


def burst_auc(run: Run) -> float:
    """Area under the ROC curve of one clip's frames: low scores inside the burst, high ones outside."""
    start, end = run.clip["burst"]
    frames = run.result.frames
    assert frames, "score_clips asks for frames"
    scores = np.array(frames.scores, float)
    centre = frames.start_s + frames.hop_s * np.arange(len(scores))
    clear = (np.abs(centre - start) >= EDGE_S) & (np.abs(centre - end) >= EDGE_S)
    inside = (centre > start) & (centre < end)
    return roc_auc(inside[clear], -scores[clear])


def _columns(runs: list[Run]) -> tuple[np.ndarray, np.ndarray]:
    """The runs' true and predicted scores, (runs,) each."""
    return np.array([run.clip["pesq_wb"] for run in runs]), np.array([run.result.score for run in runs])


def _speakers_error(scored: list[Run]) -> float:
    """The error that is common to all good clips of a speaker: the voice taken for a degradation."""
    good = [run for run in scored if run.clip["pesq_wb"] > GOOD_SCORE]
    return shared_error(np.array([run.clip["speakers"][0] for run in good]), *_columns(good))


def _in_order(runs: list[Run]) -> np.ndarray:
    """(pairs,) whether the better of two versions scores higher; false when either has no score."""
    pairs: dict = {}
    for run in runs:
        pairs.setdefault(run.clip["pair"], {})[run.clip["pair_rank"]] = run.result.score
    whole = [pair for pair in pairs.values() if len(pair) == 2]
    return np.array([None not in pair.values() and pair[1] > pair[0] for pair in whole], float)


def _burst_rows(runs: list[Run]) -> list[dict]:
    overlaps = [
        run.result.worst_segment is not None
        and run.result.worst_segment.start_s < run.clip["burst"][1]
        and run.result.worst_segment.end_s > run.clip["burst"][0]
        for run in runs
    ]
    return [
        measured(
            "frames: ROC area, burst against the rest",
            np.nanmean,
            [np.array([burst_auc(run) for run in runs])],
            AT_LEAST,
            0.90,
            0.97,
        ),
        measured(
            "worst segment overlaps the burst", np.mean, [np.array(overlaps, float)], AT_LEAST, 0.90, 0.98
        ),
    ]


def _change_rows(corpus: Path, runs: list[Run], settings: ScorerConfig) -> list[dict]:
    """The moves of the score by changes that nobody hears, each by its largest: a mean would hide it."""
    chosen = runs[:: max(1, len(runs) // CHANGED_CLIPS)][:CHANGED_CLIPS]
    moves = score_changes(corpus, chosen, settings)
    finite = {name: values[np.isfinite(values)] for name, values in moves.items()}
    mean = max((abs(float(values.mean())) for values in finite.values() if len(values)), default=np.nan)
    lost = sum(len(moves[name]) - len(values) for name, values in finite.items())
    return [
        plain("inaudible changes: largest move of the mean", mean, AT_MOST, 0.05, 0.02),
        *(
            plain(f"{name}: largest move", float(np.abs(finite[name]).max(initial=0)), AT_MOST, 0.3, 0.1)
            for name in CHANGES
        ),
        plain(f"scores lost by these changes, of {len(chosen) * len(CHANGES)}", lost, AT_MOST, 0, None),
    ]


def _joined_rows(corpus: Path, runs: list[Run], settings: ScorerConfig) -> list[dict]:
    differences, moves = score_joined(corpus, runs, settings)
    return [
        plain(
            "joined clips: mean less their power mean", abs(float(np.mean(differences))), AT_MOST, 0.1, 0.05
        ),
        plain("joined clips, reversed: mean move", float(np.mean(np.abs(moves))), AT_MOST, 0.05, 0.02),
    ]


def _no_speech_rows(silent: list[Run], labelled: list[Run]) -> list[dict]:
    """The no-speech rule, on the half of the speakers that it was not fitted on."""
    flagged = np.array([run.no_speech for run in silent if not is_for_calibration(run.clip)], float)
    spoken = [run for run in labelled if is_plain_speech(run.clip) and not is_for_calibration(run.clip)]
    wrong = np.array([run.no_speech for run in spoken], float)
    return [
        measured("no speech, flagged as such", np.mean, [flagged], AT_LEAST, 0.97, 0.995),
        measured("speech at 0 dB and better, wrongly flagged", np.mean, [wrong], AT_MOST, 0.01, 0.002),
    ]


def _covered(scored: list[Run]) -> np.ndarray:
    """(clips,) whether the interval covers the true score, on the half that it was not fitted on."""
    held_out = [run for run in scored if not is_for_calibration(run.clip)]
    return covered(_columns(held_out)[0], [run.result.interval for run in held_out])


def _cost_rows(parameters: int, network: OnnxNetwork) -> list[dict]:
    frames = np.abs(np.random.default_rng(0).standard_normal((TEN_SECONDS, SPEC.bins))).astype(np.float32)
    times = []
    for _ in range(TIMED_CALLS):
        started = time.perf_counter()
        network(frames)
        times.append(1000 * (time.perf_counter() - started))
    return [
        plain("parameters", parameters, AT_MOST, 2_000_000, None),
        plain("ms for 10 s, ONNX Runtime, one thread", float(np.median(times)), AT_MOST, 15, 8),
    ]


def _errors(scored: list[Run], kinds_of: Callable[[dict], list[str]]) -> dict[str, dict]:
    """{kind: clips, Pearson, RMSE and mean error}; ``kinds_of`` gives the kinds of a clip."""
    by_kind: dict[str, list[Run]] = {}
    for run in scored:
        for kind in kinds_of(run.clip):
            by_kind.setdefault(kind, []).append(run)
    return {kind: errors(*_columns(members)) for kind, members in sorted(by_kind.items())}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluation.evaluate", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--corpus", type=Path, required=True, help="corpus with the development sets")
    parser.add_argument(
        "--model",
        type=Path,
        default=ScorerConfig().model_dir,
        help="folder that training.release.export wrote",
    )
    parser.add_argument("--plots", type=Path, help="folder for PNGs: scatter, error by group")
    parser.add_argument("--elsewhere", type=Path, help="manifest.jsonl of labelled recordings from elsewhere")
    options = parser.parse_args(arguments)
    metrics = evaluate(options.corpus, options.model, options.plots, options.elsewhere)
    (options.model / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    print_table(metrics)


if __name__ == "__main__":
    main()
