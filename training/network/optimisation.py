"""The optimiser, its learning-rate schedule, and the precision of the convolutions."""

import math
import re
from pathlib import Path

import keras

WARM_UP = 0.03  # share of the run
LAST_RATE = 0.01  # at the end of the cosine decay, as a share of the highest rate
WEIGHT_DECAY = 0.01
CLIP_NORM = 1.0  # of all gradients together


def muon(learning_rate: float) -> keras.optimizers.Optimizer:
    """Muon for the matrices between layers; AdamW, at the same rate, for all other variables."""
    optimizer = keras.optimizers.Muon(
        learning_rate,
        weight_decay=WEIGHT_DECAY,
        adam_weight_decay=WEIGHT_DECAY,
        global_clipnorm=CLIP_NORM,
        exclude_layers=["head", "context_weight"],
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def scheduled_rate(highest: float, share: float) -> float:
    """The learning rate at a ``share`` of the run, 0 to 1: linear warm-up, then cosine decay."""
    if share < WARM_UP:
        return highest * max(share / WARM_UP, LAST_RATE)
    decay = 0.5 * (1 + math.cos(math.pi * min(1.0, (share - WARM_UP) / (1 - WARM_UP))))
    return highest * (LAST_RATE + (1 - LAST_RATE) * decay)


def precision(cpu: Path) -> str:
    """The convolutions' dtype policy on a CPU: bfloat16, in half the time, where the file ``cpu`` lists it.

    Without that instruction set it takes four times as long (training/network/EXPERIMENTS.md). The exported
    network is float32.
    """
    listed = cpu.read_text() if cpu.is_file() else ""
    return "mixed_bfloat16" if re.search(r"\b(avx512_|amx_)?bf16\b", listed) else "float32"
