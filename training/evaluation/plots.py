"""Plots of a training run and of an evaluation."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

SCALE_ENDS = (1.0, 4.7)


def plot_history(history: list[dict], path: Path) -> None:
    """Draws the loss terms, and Pearson and RMSE of the development sets, by epoch."""
    panels = {
        "training loss": [
            name for name in ("loss", "utterance", "frames", "speech", "clean") if name in history[-1]
        ],
        "Pearson, development": [name for name in history[-1] if name.endswith("_pearson")],
        "RMSE, development": [name for name in history[-1] if name.endswith("_rmse")],
    }
    figure, axes = plt.subplots(1, len(panels), figsize=(14, 4), layout="constrained")
    for axis, (title, names) in zip(axes, panels.items(), strict=True):
        for name in names:
            axis.plot(
                [epoch["epoch"] for epoch in history], [epoch.get(name) for epoch in history], label=name
            )
        axis.set(title=title, xlabel="epoch")
        axis.grid(alpha=0.3)
        if names:
            axis.legend()
    _save(figure, path)


def plot_scatter(points: dict[str, tuple[np.ndarray, np.ndarray]], path: Path) -> None:
    """Draws predicted against true scores, one panel per set; ``points`` is name -> (true, predicted)."""
    figure, axes = plt.subplots(
        1, len(points), figsize=(4.5 * len(points), 4.5), layout="constrained", squeeze=False
    )
    for axis, (name, (true, predicted)) in zip(axes[0], points.items(), strict=True):
        axis.scatter(true, predicted, s=6, alpha=0.4)
        axis.plot(SCALE_ENDS, SCALE_ENDS, color="grey", linewidth=1)
        axis.set(
            title=f"{name}, {len(true)} clips",
            xlabel="PESQ-WB",
            ylabel="predicted",
            xlim=SCALE_ENDS,
            ylim=SCALE_ENDS,
        )
        axis.grid(alpha=0.3)
    _save(figure, path)


def plot_errors(errors: dict[str, dict], kind: str, path: Path) -> None:
    """Draws RMSE and mean error of each ``kind`` of clips: training.evaluation.evaluate's tables."""
    names = sorted(errors, key=lambda name: errors[name]["rmse"])
    figure, axis = plt.subplots(figsize=(9, 1.5 + 0.32 * len(names)), layout="constrained")
    place = np.arange(len(names))
    axis.barh(place - 0.2, [errors[name]["rmse"] for name in names], height=0.4, label="RMSE")
    axis.barh(place + 0.2, [errors[name]["bias"] for name in names], height=0.4, label="mean error")
    axis.set_yticks(place, [f"{name} ({errors[name]['clips']})" for name in names])
    axis.set(xlabel="MOS-LQO", title=f"Error by {kind} (clips)")
    axis.grid(alpha=0.3, axis="x")
    axis.legend()
    _save(figure, path)


def _save(figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
