"""A tiny corpus in the layout of training.corpus.build, made of tones and noise, and a tiny network."""

import json
from pathlib import Path

import numpy as np
import soundfile as sf
import tensorflow as tf

from aqscore.causes import CAUSES
from aqscore.model.features import SPEC, frames_of
from training.corpus.labels import PERFECT
from training.network.config import Config

BANDS = 48
# aqscore.model.loading sets one thread, and TensorFlow accepts no other number after its first operation.
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
SECONDS = 3
TINY = Config(channels=8, maps=(2,), fine=8, units=8, shared=8, dropout=0.0, denoise=0.1, learning_rate=5e-3)


def make_corpus(folder: Path, train: int = 12, dev: int = 8) -> Path:
    """Writes train, dev_noise, dev_mixed, dev_clean, dev_pairs, dev_bursts and dev_no_speech."""
    counts = {"train": train} | dict.fromkeys(
        ("dev_noise", "dev_mixed", "dev_clean", "dev_pairs", "dev_bursts", "dev_no_speech"), dev
    )
    lines = []
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            lines.append(_clip(folder, name, len(lines), index))
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def _clip(folder: Path, name: str, number: int, index: int) -> dict:
    generator = np.random.default_rng(number)
    length = SECONDS * SPEC.sample_rate_hz + 400 * index
    at = np.arange(length) / SPEC.sample_rate_hz
    quality = (index % 2 + generator.random()) / 2
    is_speech = name != "dev_no_speech"
    voice = np.sin(2 * np.pi * 150 * at) * (np.sin(2 * np.pi * 1.5 * at) > 0) * is_speech
    samples = 0.1 * (voice + (1 - quality) * generator.standard_normal(length))
    frames = frames_of(samples.astype(np.float32))
    overall = 1.04 + 3.6 * quality if is_speech else None
    costs = np.full((len(frames), len(CAUSES)), 0 if is_speech else np.nan, np.float16)
    if overall is not None:
        costs[:, CAUSES.index("noise")] = PERFECT - overall
    centres = SPEC.first_centre_s + SPEC.hop_s * np.arange(len(frames))
    np.savez(
        folder / name / f"{number:07d}.npz",
        frames=frames.astype(np.float16),
        overall=np.float32(np.nan if overall is None else overall),
        mos=np.float32(1 + 4 * quality if is_speech else np.nan),
        costs=costs,
        frame_scores=np.full(len(frames), np.nan if overall is None else overall, np.float32),
        speech=((np.sin(2 * np.pi * 1.5 * centres) > 0) & is_speech).astype(np.uint8),
        reference=np.abs(generator.standard_normal((len(frames), BANDS))).astype(np.float16),
    )
    if name != "train":
        sf.write(folder / name / f"{number:07d}.flac", samples, SPEC.sample_rate_hz)
    return {
        "clip": f"{number:07d}",
        "set": name,
        "seconds": length / SPEC.sample_rate_hz,
        "speakers": [f"speaker {index}"] if is_speech else [],
        "speech_files": [],
        "noise_kinds": [f"kind {index}"],
        "degradations": [{"kind": "noise"}],
        "group": "noise",
        "snr_db": 10.0,
        "pesq_wb": overall,
        "burst": [1.0, 2.0] if name == "dev_bursts" else None,
        "pair": index // 2 if name == "dev_pairs" else None,
        "pair_rank": index % 2 if name == "dev_pairs" else None,
    }
