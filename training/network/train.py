"""Trains the network on a corpus: `python -m training.network.train --corpus DIR --out DIR --minutes 60`.

Started again with the same OUT it resumes after the last whole epoch. OUT holds checkpoint.npz,
network.keras (the network to export, with the average of the run's weights: development scores never choose
an epoch), run.json, history.json and curves.png.
"""

import argparse
import hashlib
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras.backend import backend
from tqdm import tqdm

from training.evaluation.plots import plot_history
from training.evaluation.statistics import pearson, rmse
from training.network.config import Config
from training.network.dataset import (
    clip_path,
    epoch_files,
    evaluation_batches,
    read_manifest,
    training_batches,
)
from training.network.model import build_for_training
from training.network.optimisation import muon, precision, scheduled_rate
from training.network.steps import State, compiled
from training.network.weights import exported, warm_start

EPOCH_CLIPS = 8_000  # few enough for frequent checkpoints, and to pick up the clips of a growing corpus
DEVELOPMENT_CLIPS = {"dev_noise": 200, "dev_mixed": 200}  # scored after every epoch, for the curves only
CPU = Path("/proc/cpuinfo")


class Trainer:
    """A network, its optimiser, its averaged weights and the progress of the training."""

    def __init__(self, config: Config, seed: int, start: Path | None = None) -> None:
        """``start`` is a model.keras for a warm start, instead of random weights."""
        keras.utils.set_random_seed(seed)
        self.config = config
        self.seed = seed
        self.network = build_for_training(config, precision(CPU) if backend() == "tensorflow" else "float32")
        if start:
            warm_start(self.network, keras.models.load_model(start, compile=False))
        self.state = State(self.network, muon(config.learning_rate))
        self.step, self.predict = compiled(config, self.state)
        self.history: list[dict] = []
        self.seconds = 0.0

    def run_epoch(self, corpus: Path, progress: Callable[[float], float]) -> dict:
        """Trains one epoch; ``progress(share of this epoch)`` is the share of the whole run, 0 to 1.

        Returns the epoch's entry of the history. Raises FloatingPointError when the loss is not finite.
        """
        epoch = len(self.history)
        files = epoch_files(corpus, EPOCH_CLIPS, self.seed, epoch)
        batches = training_batches(files, self.seed, epoch)
        started, frames, clips, rate = time.monotonic(), 0, 0, 0.0
        sums: dict[str, float] = {}
        with tqdm(total=len(files), desc=f"epoch {epoch + 1}", unit="clip", mininterval=1.0) as progress_bar:
            for batch in batches:
                self.state.optimizer.learning_rate.assign(
                    scheduled_rate(self.config.learning_rate, progress(clips / len(files)))
                )
                terms = self.step(batch)
                if not math.isfinite(terms["loss"]):
                    raise FloatingPointError(
                        f"The loss of epoch {epoch + 1} is {terms}, expected finite numbers. The last "
                        "checkpoint is intact: look for a broken clip, or lower --learning-rate."
                    )
                size = batch["frames"].shape[0]
                clips += size
                frames += int(np.count_nonzero(batch["mask"]))
                for name, value in terms.items():
                    sums[name] = sums.get(name, 0.0) + size * value
                rate = frames / (time.monotonic() - started)
                speed = f"loss {sums['loss'] / clips:.3f}, {rate:,.0f} frames/s"
                progress_bar.set_postfix_str(speed, refresh=False)
                progress_bar.update(size)
        return {
            "epoch": epoch + 1,
            "clips": clips,
            "frames_per_s": round(rate),
            **{name: round(value / clips, 5) for name, value in sums.items()},
        }

    def development_measures(self, corpus: Path) -> dict:
        """Pearson and RMSE on some development clips, with the averaged weights."""
        trained = [np.asarray(variable) for variable in self.network.trainable_variables]
        self._assign(self.averaged_weights())
        measured = {}
        for name, count in DEVELOPMENT_CLIPS.items():
            clips = read_manifest(corpus, name)[:count]
            if len(clips) < 3:
                continue
            targets: list[float] = []
            predictions: list[float] = []
            for batch in evaluation_batches([clip_path(corpus, clip) for clip in clips]):
                targets.extend(batch["overall"].numpy())
                predictions.extend(self.predict(batch))
            known = np.isfinite(targets)
            pair = np.asarray(targets)[known], np.asarray(predictions)[known]
            measured[f"{name}_pearson"] = round(pearson(*pair), 4)
            measured[f"{name}_rmse"] = round(rmse(*pair), 4)
        self._assign(trained)
        return measured

    def averaged_weights(self) -> list[np.ndarray]:
        """The average of the run's weights, which is exported."""
        return [np.asarray(variable) for variable in self.state.average]

    def save(self, out: Path) -> None:
        """Writes the checkpoint atomically, then the network to export."""
        partial = out / "checkpoint.partial.npz"
        state: dict[str, Any] = {
            f"v{number}": np.asarray(variable) for number, variable in enumerate(self.state.variables)
        }
        np.savez(partial, progress=json.dumps({"history": self.history, "seconds": self.seconds}), **state)
        partial.replace(out / "checkpoint.npz")
        (out / "history.json").write_text(json.dumps(self.history, indent=1) + "\n")
        trained = [np.asarray(variable) for variable in self.network.trainable_variables]
        self._assign(self.averaged_weights())
        exported(self.config, self.network).save(out / "network.partial.keras")
        (out / "network.partial.keras").replace(out / "network.keras")
        self._assign(trained)

    def resume(self, out: Path) -> bool:
        """Restores the checkpoint in ``out``; False when there is none."""
        path = out / "checkpoint.npz"
        if not path.is_file():
            return False
        with np.load(path) as state:
            for number, variable in enumerate(self.state.variables):
                variable.assign(state[f"v{number}"])
            progress = json.loads(str(state["progress"]))
        self.history, self.seconds = progress["history"], progress["seconds"]
        return True

    def _assign(self, values: list[np.ndarray]) -> None:
        for variable, value in zip(self.network.trainable_variables, values, strict=True):
            variable.assign(value)


def train(
    corpus: Path,
    out: Path,
    config: Config,
    seed: int,
    *,
    minutes: float | None = None,
    epochs: int | None = None,
    start: Path | None = None,
) -> list[dict]:
    """Trains for ``minutes`` or for ``epochs``, whichever is given; returns the history.

    ``start`` is a model.keras for a warm start. Raises ValueError when ``out`` holds another run.
    """
    out.mkdir(parents=True, exist_ok=True)
    run = {"config": config.as_dict(), "seed": seed, "minutes": minutes, "epochs": epochs}
    if start:
        run["warm_start_sha256"] = hashlib.sha256(start.read_bytes()).hexdigest()
    _claim(out, run)
    trainer = Trainer(config, seed, start)
    if trainer.resume(out):
        print(f"Resumes after epoch {len(trainer.history)}, {trainer.seconds / 60:.1f} minutes in.")
    while not _done(trainer, minutes, epochs):
        started, before = time.monotonic(), trainer.seconds

        def progress(share: float, started: float = started, before: float = before) -> float:
            if epochs:
                return (len(trainer.history) + share) / epochs
            return (before + time.monotonic() - started) / (60 * (minutes or 0))

        epoch = trainer.run_epoch(corpus, progress) | trainer.development_measures(corpus)
        trainer.seconds = before + time.monotonic() - started
        trainer.history.append(epoch | {"minutes": round(trainer.seconds / 60, 2)})
        trainer.save(out)
        print(json.dumps(trainer.history[-1]), flush=True)
    plot_history(trainer.history, out / "curves.png")
    return trainer.history


def _done(trainer: Trainer, minutes: float | None, epochs: int | None) -> bool:
    if epochs:
        return len(trainer.history) >= epochs
    epoch_s = trainer.seconds / len(trainer.history) if trainer.history else 0.0
    # Start no epoch that would end more than half an epoch late.
    return trainer.seconds + epoch_s / 2 > 60 * (minutes or 0)


def _claim(out: Path, run: dict) -> None:
    """Writes run.json; raises ValueError when it is there with other settings."""
    path = out / "run.json"
    if path.is_file() and (found := json.loads(path.read_text())) != run:
        raise ValueError(
            f"{path} belongs to another run: {found}, expected {run}. "
            "Choose another --out, or the same settings."
        )
    path.write_text(json.dumps(run, indent=1) + "\n")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.network.train", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--corpus", type=Path, required=True, help="folder that training.corpus.build writes")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run, made when missing")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument(
        "--minutes", type=float, help="how long to train, including the time before a resumption"
    )
    length.add_argument("--epochs", type=int, help=f"epochs of at most {EPOCH_CLIPS:,} clips")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--learning-rate",
        type=float,
        default=Config.learning_rate,
        help="highest learning rate (%(default)s)",
    )
    parser.add_argument(
        "--warm-start", type=Path, help="model.keras to start from, instead of random weights"
    )
    options = parser.parse_args(arguments)
    train(
        options.corpus,
        options.out,
        Config(learning_rate=options.learning_rate),
        options.seed,
        minutes=options.minutes,
        epochs=options.epochs,
        start=options.warm_start,
    )


if __name__ == "__main__":
    main()
