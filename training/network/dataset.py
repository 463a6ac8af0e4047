"""A corpus folder to batches: files listed, read in parallel, padded by length, prefetched (tf.data)."""

import json
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from aqscore.causes import CAUSES
from aqscore.model.features import SPEC
from training.bands import BANDS
from training.network.augmentation import augmented

PARALLEL = 4  # clips read at a time, and batches kept ready
BATCH_FRAMES = 12_000  # frames in a batch, so that long clips don't make it larger
BUCKET_STEP = 64  # frames; a batch's clips differ by less, so little of it is padding
LONGEST = 4096  # frames, 65 s: longer clips share one last bucket


def read_manifest(corpus: Path, *sets: str) -> list[dict]:
    """The manifest's clips, of the named sets or of all.

    A last line that is still being written is skipped. Raises ValueError when there is no manifest.
    """
    path = corpus / "manifest.jsonl"
    if not path.is_file():
        raise ValueError(
            f"There is no manifest.jsonl in {corpus}, expected one: make it with training.corpus.build."
        )
    lines = path.read_text().split("\n")[:-1]
    clips = [json.loads(line) for line in lines if line]
    return [clip for clip in clips if not sets or clip["set"] in sets]


def clip_path(corpus: Path, clip: dict, suffix: str = ".npz") -> Path:
    return corpus / clip["set"] / f"{clip['clip']}{suffix}"


def load_clip(path: Path) -> dict[str, np.ndarray]:
    """Reads a clip, all float32: frames (T, 257), overall (), mos (), frame_scores (T,), costs (T, causes),
    speech (T,), reference (T, 48).

    ``overall`` and ``frame_scores`` are NaN where PESQ is not defined, ``mos`` and ``costs`` where they are
    not known, ``speech`` where nobody knows where it is.
    """
    with np.load(path) as arrays:
        return {name: np.asarray(arrays[name], np.float32) for name in _RANKS}


def epoch_files(corpus: Path, clips: int, seed: int, epoch: int) -> list[Path]:
    """The files of an epoch: the next ``clips``, at most, of passes over the train set as it is now.

    Each pass has its own order, and an epoch begins where the one before ended: every clip is used once
    before any is used twice. Raises ValueError when the train set has no clip.
    """
    files = sorted((corpus / "train").glob("*.npz"))
    if not files:
        raise ValueError("The train set has no clip, expected some: make them with training.corpus.build.")
    clips = min(clips, len(files))
    first, start = divmod(epoch * clips, len(files))
    orders = [np.random.default_rng([seed, number]).permutation(len(files)) for number in (first, first + 1)]
    return [files[index] for index in np.concatenate(orders)[start : start + clips]]


def training_batches(files: list[Path], seed: int, epoch: int) -> tf.data.Dataset:
    """The clips of an epoch, augmented, in padded batches.

    A batch is a dict: frames (B, T, 257), overall (B,), mos (B,), frame_scores (B, T), costs (B, T, causes),
    speech (B, T), NaN where unknown, reference (B, T, 48), mask (B, T) bool, False where padded; frame_scores
    and costs are NaN where padded. The same files, seed and epoch give the same batches.
    """
    return _batches(files, lambda name: _augmented(name, seed, epoch))


def evaluation_batches(paths: list[Path]) -> tf.data.Dataset:
    """The clips without augmentation, in padded batches; their order is not kept."""
    return _batches(paths, lambda name: _values(load_clip(Path(name.decode()))))


# The signature of a batch, so that TensorFlow traces one graph for any length and number of clips.
BATCH_SPEC = {
    "frames": tf.TensorSpec([None, None, SPEC.bins]),
    "overall": tf.TensorSpec([None]),
    "mos": tf.TensorSpec([None]),
    "frame_scores": tf.TensorSpec([None, None]),
    "costs": tf.TensorSpec([None, None, len(CAUSES)]),
    "speech": tf.TensorSpec([None, None]),
    "reference": tf.TensorSpec([None, None, BANDS]),
    "mask": tf.TensorSpec([None, None], tf.bool),
}
_RANKS = {
    "frames": 2, "overall": 0, "mos": 0, "frame_scores": 1, "costs": 2, "speech": 1, "reference": 2
}  # fmt: skip
_WIDTHS = {"frames": SPEC.bins, "costs": len(CAUSES), "reference": BANDS}


def _augmented(name: bytes, seed: int, epoch: int) -> list[np.ndarray]:
    path = Path(name.decode())
    generator = np.random.default_rng([seed, epoch, zlib.crc32(path.name.encode())])
    return _values(augmented(load_clip(path), generator))


def _values(clip: dict[str, np.ndarray]) -> list[np.ndarray]:
    return [clip[name] for name in _RANKS]


def _typed(values: list) -> dict:
    """Gives the arrays their names and static shapes, and adds the mask."""
    clip = {}
    for (name, rank), value in zip(_RANKS.items(), values, strict=True):
        value.set_shape([None, _WIDTHS[name]] if rank == 2 else [None] * rank)
        clip[name] = value
    clip["mask"] = tf.ones_like(clip["speech"], tf.bool)
    return clip


def _batches(files: list[Path], values_of: Callable[[bytes], list[np.ndarray]]) -> tf.data.Dataset:
    """Padded batches of the files' clips; ``values_of(name)`` reads one, as ``_values`` lists its arrays."""

    def read(path: tf.Tensor) -> dict:
        return _typed(tf.numpy_function(values_of, [path], [tf.float32] * len(_RANKS)))

    boundaries = list(range(BUCKET_STEP, LONGEST + 1, BUCKET_STEP))
    sizes = [max(1, BATCH_FRAMES // longest) for longest in [*boundaries, 2 * LONGEST]]
    clips = tf.data.Dataset.from_tensor_slices([str(path) for path in files]).map(read, PARALLEL)
    batches = clips.bucket_by_sequence_length(
        lambda clip: tf.shape(clip["frames"])[0],
        boundaries,
        sizes,
        padding_values={
            name: np.float32(np.nan if name in ("frame_scores", "costs") else 0) for name in _RANKS
        }
        | {"mask": False},
    )
    # tf.data's tuner wakes once a minute, and an epoch would wait for it (training/network/EXPERIMENTS.md).
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(PARALLEL).with_options(options)
