"""Trains a network on a corpus: `python -m training.network.train --corpus DIR --out DIR --minutes 60`.

Started again with the same OUT it goes on after the last whole epoch. OUT holds checkpoint.npz,
network.keras (the network to export: the average of the run's weights where the configuration keeps one,
else the last ones; never an epoch that the development sets chose), run.json, history.json and curves.png.
"""

import argparse
import hashlib
import json
import math
import re
import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from training.evaluation.metrics import pearson, rmse
from training.evaluation.plots import plot_history
from training.network.dataset import (
    BATCH_SPEC,
    clip_path,
    epoch_files,
    evaluation_batches,
    read_manifest,
    training_batches,
)
from training.network.losses import losses, overall_score
from training.network.model import CONFIGS, HIGHEST, LOWEST, Config, build_for_training
from training.network.weights import begin_from, exported

EPOCH_CLIPS = 8_000  # so that checkpoints come often and a growing corpus is seen soon
WATCHED = {"dev_noise": 200, "dev_mixed": 200}  # development clips scored after every epoch, to look at
WARM_UP = 0.03  # share of the run
LAST_RATE = 0.01  # what cosine decay ends at, of the highest rate
WEIGHT_DECAY = 0.01
CLIP_NORM = 1.0
CPU = Path("/proc/cpuinfo")


def precision(cpu: Path) -> str:
    """The convolutions' dtype policy: bfloat16, in half the time, where Linux's ``cpu`` file lists it.

    A CPU that doesn't know it takes four times as long (training/network/EXPERIMENTS.md, 15). Served is float32.
    """
    listed = cpu.read_text() if cpu.is_file() else ""
    return "mixed_bfloat16" if re.search(r"\b(avx512_|amx_)?bf16\b", listed) else "float32"


class Trainer:
    """A network, its optimiser, its averaged weights and how far the training has come."""

    def __init__(self, config: Config, seed: int, first: Path | None = None) -> None:
        """``first`` is a model.keras to begin with instead of random weights."""
        keras.utils.set_random_seed(seed)
        self.config = config
        self.seed = seed
        self.network = build_for_training(config, precision(CPU))
        if first:
            begin_from(self.network, keras.models.load_model(first, compile=False))
        self.optimizer = _optimizer(config)
        self.optimizer.build(self.network.trainable_variables)
        self.average = [tf.Variable(value, trainable=False) for value in self.network.trainable_variables]
        self.steps = tf.Variable(0.0, trainable=False)
        self.history: list[dict] = []
        self.seconds = 0.0

    @tf.function(input_signature=[BATCH_SPEC])
    def step(self, batch: dict) -> dict:
        """One gradient step; returns the loss terms."""
        with tf.GradientTape() as tape:
            outputs = self.network([batch["frames"], batch["mask"]], training=True)
            terms = losses(self.config, outputs, batch)
        variables = self.network.trainable_variables
        gradients = tape.gradient(terms["loss"], variables)
        if self.config.schedule == "cosine":
            gradients, _ = tf.clip_by_global_norm(gradients, CLIP_NORM)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        self.steps.assign_add(1.0)
        # Polynomial-decay averaging (Shamir and Zhang, ICML 2013): the weights of a step count by about its
        # number to that power, so that the average covers the run and forgets how it began.
        share = (self.config.average_power + 1) / (self.config.average_power + self.steps)
        for average, variable in zip(self.average, variables, strict=True):
            average.assign_add(share * (variable.value - average))
        return terms

    @tf.function(input_signature=[BATCH_SPEC])
    def predict(self, batch: dict) -> tf.Tensor:
        outputs = self.network([batch["frames"], batch["mask"]], training=False)
        score = tf.clip_by_value(outputs["score"], LOWEST, HIGHEST)
        return overall_score(score, outputs["weight"], batch["mask"], self.config.power)

    def run_epoch(self, corpus: Path, progress) -> dict:
        """Trains one epoch; ``progress(share of this epoch)`` is the share of the whole run, 0 to 1."""
        epoch = len(self.history)
        files = epoch_files(corpus, EPOCH_CLIPS, self.seed, epoch)
        batches = training_batches(files, self.seed, epoch)
        started, frames, sums, clips = time.monotonic(), 0, {}, 0
        with tqdm(total=len(files), desc=f"epoch {epoch + 1}", unit="clip", mininterval=1.0) as bar:
            for batch in batches:
                self.optimizer.learning_rate.assign(self._rate(progress(clips / len(files))))
                terms = {name: float(value) for name, value in self.step(batch).items()}
                if not math.isfinite(terms["loss"]):
                    raise FloatingPointError(
                        f"The loss of epoch {epoch + 1} is {terms}, expected finite numbers. The last "
                        "checkpoint is whole: look for a broken clip, or start again with a lower rate."
                    )
                size = batch["frames"].shape[0]
                clips += size
                frames += int(tf.math.count_nonzero(batch["mask"]))
                for name, value in terms.items():
                    sums[name] = sums.get(name, 0.0) + size * value
                rate = frames / (time.monotonic() - started)
                bar.set_postfix_str(f"loss {sums['loss'] / clips:.3f}, {rate:,.0f} frames/s", refresh=False)
                bar.update(size)
        return {
            "epoch": epoch + 1,
            "clips": clips,
            "frames_per_s": round(rate),
            **{name: round(value / clips, 5) for name, value in sums.items()},
        }

    def watch(self, corpus: Path) -> dict:
        """Pearson and RMSE on some development clips, with the weights that would be exported."""
        trained = [variable.numpy() for variable in self.network.trainable_variables]
        self._use(self.exported_weights())
        measured = {}
        for name, count in WATCHED.items():
            clips = read_manifest(corpus, name)[:count]
            if len(clips) < 3:
                continue
            targets, predictions = [], []
            for batch in evaluation_batches([clip_path(corpus, clip) for clip in clips]):
                targets.extend(batch["overall"].numpy())
                predictions.extend(self.predict(batch).numpy())
            known = np.isfinite(targets)
            targets, predictions = np.asarray(targets)[known], np.asarray(predictions)[known]
            measured[f"{name}_pearson"] = round(pearson(targets, predictions), 4)
            measured[f"{name}_rmse"] = round(rmse(targets, predictions), 4)
        self._use(trained)
        return measured

    def exported_weights(self) -> list[np.ndarray]:
        source = self.average if self.config.average_power else self.network.trainable_variables
        return [variable.numpy() for variable in source]

    def save(self, out: Path) -> None:
        """Writes the checkpoint in one step, then the network to export."""
        partial = out / "checkpoint.partial.npz"
        state = {f"v{number}": variable.numpy() for number, variable in enumerate(self._variables())}
        np.savez(partial, progress=json.dumps({"history": self.history, "seconds": self.seconds}), **state)
        partial.replace(out / "checkpoint.npz")
        (out / "history.json").write_text(json.dumps(self.history, indent=1) + "\n")
        trained = [variable.numpy() for variable in self.network.trainable_variables]
        self._use(self.exported_weights())
        exported(self.config, self.network).save(out / "network.partial.keras")
        (out / "network.partial.keras").replace(out / "network.keras")
        self._use(trained)

    def resume(self, out: Path) -> bool:
        """Takes up the checkpoint in ``out``; False when there is none."""
        path = out / "checkpoint.npz"
        if not path.is_file():
            return False
        with np.load(path) as state:
            for number, variable in enumerate(self._variables()):
                variable.assign(state[f"v{number}"])
            progress = json.loads(str(state["progress"]))
        self.history, self.seconds = progress["history"], progress["seconds"]
        return True

    def _variables(self) -> list:
        return [*self.network.variables, *self.optimizer.variables, *self.average, self.steps]

    def _use(self, values: list[np.ndarray]) -> None:
        for variable, value in zip(self.network.trainable_variables, values, strict=True):
            variable.assign(value)

    def _rate(self, share: float) -> float:
        if self.config.schedule == "constant":
            return self.config.learning_rate
        if share < WARM_UP:
            return self.config.learning_rate * max(share / WARM_UP, LAST_RATE)
        decay = 0.5 * (1 + math.cos(math.pi * min(1.0, (share - WARM_UP) / (1 - WARM_UP))))
        return self.config.learning_rate * (LAST_RATE + (1 - LAST_RATE) * decay)


def train(
    corpus: Path,
    out: Path,
    config: Config,
    seed: int,
    *,
    minutes: float | None,
    epochs: int | None,
    first: Path | None = None,
) -> list[dict]:
    """Trains until ``minutes`` of training are over or ``epochs`` are done; returns the history."""
    out.mkdir(parents=True, exist_ok=True)
    run = {"config": config.as_dict(), "seed": seed, "minutes": minutes, "epochs": epochs}
    _claim(out, run | ({"from_sha256": hashlib.sha256(first.read_bytes()).hexdigest()} if first else {}))
    trainer = Trainer(config, seed, first)
    if trainer.resume(out):
        print(f"Goes on after epoch {len(trainer.history)}, {trainer.seconds / 60:.1f} minutes in.")
    while not _done(trainer, minutes, epochs):
        started, before = time.monotonic(), trainer.seconds

        def progress(share: float, started: float = started, before: float = before) -> float:
            if epochs:
                return (len(trainer.history) + share) / epochs
            return (before + time.monotonic() - started) / (60 * minutes)

        epoch = trainer.run_epoch(corpus, progress) | trainer.watch(corpus)
        trainer.seconds = before + time.monotonic() - started
        trainer.history.append(epoch | {"minutes": round(trainer.seconds / 60, 2)})
        trainer.save(out)
        print(json.dumps(trainer.history[-1]), flush=True)
    plot_history(trainer.history, out / "curves.png")
    return trainer.history


def _done(trainer: Trainer, minutes: float | None, epochs: int | None) -> bool:
    if epochs:
        return len(trainer.history) >= epochs
    longest = max((trainer.seconds / len(trainer.history)) if trainer.history else 0.0, 0.0)
    # An epoch that could not come near its end would leave the decay unfinished.
    return trainer.seconds + longest / 2 > 60 * minutes


def _claim(out: Path, run: dict) -> None:
    """Writes run.json, or holds the run that is there to the same settings."""
    path = out / "run.json"
    if path.is_file() and (found := json.loads(path.read_text())) != run:
        raise ValueError(
            f"{path} is of another run: {found}, expected {run}. Choose another --out, or the same settings."
        )
    path.write_text(json.dumps(run, indent=1) + "\n")


def _optimizer(config: Config) -> keras.optimizers.Optimizer:
    if config.schedule == "constant":
        return keras.optimizers.RMSprop(config.learning_rate)
    # Muon for the matrices between layers; AdamW, at the same rate, for convolutions, biases and the heads.
    optimizer = keras.optimizers.Muon(
        config.learning_rate,
        weight_decay=WEIGHT_DECAY,
        adam_weight_decay=WEIGHT_DECAY,
        exclude_layers=["head", "context_weight"],
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.network.train", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--corpus", type=Path, required=True, help="folder that training.corpus.build writes")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run, made when missing")
    parser.add_argument("--config", choices=CONFIGS, default="full", help="which network, default full")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float, help="how long to train, resumed time included")
    length.add_argument("--epochs", type=int, help=f"epochs of at most {EPOCH_CLIPS:,} clips")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--rate", type=float, help="highest learning rate instead of the configuration's: a third with --from"
    )
    parser.add_argument("--from", dest="first", type=Path, help="model.keras to begin with, default none")
    options = parser.parse_args(arguments)
    config = CONFIGS[options.config]
    train(
        options.corpus,
        options.out,
        replace(config, learning_rate=options.rate) if options.rate else config,
        options.seed,
        minutes=options.minutes,
        epochs=options.epochs,
        first=options.first,
    )


if __name__ == "__main__":
    main()
