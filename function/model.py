"""The cached BiLSTM: loaded once per process, scores frames of any length in bounded memory."""

import hashlib
import itertools
import json
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from function.errors import SetupError
from function.features import SPEC
from function.report import HIGHEST, LOWEST, SCALE
from function.settings import Settings

OUTPUTS = ("score", "weight", "speech")
SILENT_FRAMES = 64  # a second: of longer pauses of digital silence the network hears no more
# Frames that hold both silence and sound are a click to the network, where there is none. After silence of
# whole hops there is one such frame, and no more is left out: the network hears what it would hear without.
FIRST_EDGE, LAST_EDGE = 1, 2
# What a frame weighs in which surely nobody speaks: it keeps the mean of a recording without speech defined.
SILENT_WEIGHT = 1e-7


class FrameScores(NamedTuple):
    """What the network says of each frame; all (frames,) float32."""

    score: np.ndarray  # MOS-LQO: what the recording would score if all of it sounded like this frame
    weight: np.ndarray  # above 0: how much the frame counts in the overall score
    speech: np.ndarray  # 0 to 1: probability that somebody speaks

    def part(self, start: int, stop: int) -> "FrameScores":
        return FrameScores(*(values[start:stop] for values in self))

    def distances(self, power: float) -> np.ndarray:
        """(frames,) float64: weight times distance from the best score, to that power.

        Over any stretch, ``pooled`` of their sum and the sum of the weights is the stretch's score.
        """
        return self.weight * np.maximum(HIGHEST - self.score, 0, dtype=np.float64) ** power

    def overall(self, power: float) -> float:
        """The score of all frames together, MOS-LQO."""
        return pooled(self.distances(power).sum(), self.weight.sum(dtype=np.float64), power)


def pooled(distances, weights, power: float):
    """The score, or (n,) scores, at the weighted power mean of the distances from the best one, MOS-LQO.

    With a power above 1 the worst frames count for most, as PESQ pools its disturbance over time: by the
    sixth power in intervals of 320 ms, by the second over these (ITU-T P.862, 10.2.13 and 10.2.14).
    """
    return HIGHEST - np.maximum(distances / weights, 0) ** (1 / power)


class Window(NamedTuple):
    """Successive frames, (n, 257), and their scores."""

    frames: np.ndarray
    scores: FrameScores


class Network(Protocol):
    """A runtime that runs the network on one window."""

    def __call__(self, frames: np.ndarray) -> FrameScores:
        """(frames, 257) float32 -> the scores of each frame."""


class OnnxNetwork:
    """The exported graph in ONNX Runtime: the default, for its cold start."""

    file = "onnx"

    def __init__(self, path: Path, threads: int) -> None:
        # Official builds since 1.29 report model and machine to their maker unless this is set before the
        # library is loaded: https://github.com/microsoft/onnxruntime/pull/27379
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def __call__(self, frames: np.ndarray) -> FrameScores:
        return FrameScores(*(values[0] for values in self._session.run(OUTPUTS, {"frames": frames[None]})))


class TensorFlowNetwork:
    """The reference: the Keras model as it was trained."""

    file = "keras"

    def __init__(self, path: Path, threads: int) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # or it greets on standard error
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        network = tf.keras.models.load_model(path, compile=False)
        # One traced graph for every length: Keras called eagerly takes a hundred times as long.
        signature = [tf.TensorSpec([1, None, SPEC.bins], tf.float32)]
        self._graph = tf.function(lambda frames: network(frames, training=False), input_signature=signature)

    def __call__(self, frames: np.ndarray) -> FrameScores:
        outputs = self._graph(frames[None])
        return FrameScores(*(outputs[name].numpy()[0] for name in OUTPUTS))


NETWORKS = {"onnx": OnnxNetwork, "tensorflow": TensorFlowNetwork}


class Model:
    """A network and what model.json says about it.

    Raises SetupError when files are missing or changed, or when the model was made for
    features, a scale or rules other than this version's.
    """

    def __init__(self, folder: Path, runtime: str, threads: int = 1) -> None:
        try:
            self.info = json.loads((folder / "model.json").read_text())
        except OSError as error:
            raise SetupError(
                f"There is no model in {folder} ({error.strerror}), expected model.json there.",
                advice="Set AQSCORE_MODEL_DIR to a folder that training.export wrote.",
            ) from None
        self._check_fit()
        network = NETWORKS[runtime]
        file = self.info["files"][network.file]
        path = folder / file["name"]
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        if self.sha256 != file["sha256"]:
            raise SetupError(
                f"{path.name} is not the file that model.json describes (sha256 {self.sha256[:12]}..., "
                f"expected {file['sha256'][:12]}...).",
                advice="Copy model.json and its files together, or export the model again.",
            )
        self.runtime = runtime
        self.speech_probability: float = self.info["no_speech"]["speech_probability"]
        self.power: float = self.info["pooling"]["power"]
        self.network: Network = network(path, threads)
        # The first call takes longer: memory is laid out, and TensorFlow traces its graph. In Lambda that is
        # for the init to do, not for the first answer.
        self.network(np.zeros((1, SPEC.bins), np.float32))

    def _check_fit(self) -> None:
        """Raises SetupError when the model was made for other features, scale or rules."""
        theirs, ours = self.info.get("features", {}), SPEC.as_dict()
        if differences := [
            f"{name} is {theirs.get(name)!r}, expected {ours.get(name)!r}"
            for name in sorted(theirs.keys() | ours.keys())
            if theirs.get(name) != ours.get(name)
        ]:
            raise SetupError(
                f"Model {self.info.get('version')} was trained on other features: {'; '.join(differences)}.",
                advice="Train and export it again with this version of function/features.py.",
            )
        if self.info.get("scale") != SCALE:
            raise SetupError(
                f"Model {self.info.get('version')} scores on the scale {self.info.get('scale')!r}, expected "
                f"{SCALE!r}: reports and verdicts are on that one.",
                advice="Train it on labels of that scale.",
            )
        for part, name in (("no_speech", "clearest_speech"), ("pooling", "power")):
            if name not in (self.info.get(part) or {}):
                raise SetupError(
                    f"Model {self.info.get('version')} has {part} {self.info.get(part)}, expected {name} in "
                    "it: an older version wrote it.",
                    advice="Export it again with this version of training.export.",
                )

    def stream(self) -> "ScoreStream":
        return ScoreStream(self.network, **self.info["window"])


class ScoreStream:
    """Scores frames as they come, window by window, each with context on both sides.

    A recording of up to ``frames + context`` frames is scored in one go. In a longer one every frame
    is scored with at least ``context`` frames known on either side of it. Memory doesn't grow.

    Of digital silence the network hears ``SILENT_FRAMES`` in each pause, and nothing of what comes before
    the first sound or after the last, edges included: silence says nothing of the speech around it, but a
    recurrence takes it for a sign. What the network didn't hear gets the score of the sound beside it,
    next to no weight and no speech.
    """

    def __init__(self, network: Network, frames: int, context: int) -> None:
        self._network = network
        self._window = frames
        self._context = context
        self._frames: list[np.ndarray] = []  # joined when a window is ready: each time copies all of them
        self._skipped = np.empty(0, np.int64)  # silent frames left out before each of the frames
        self._scored = 0  # how many of self._frames are there as context only
        self._begun = False  # whether there was any sound
        self._edge = 0  # how many of the next frames are still to be left out
        self._silent = 0  # how many of the last frames pushed were silent
        self._waiting = 0  # how many of the last frames were left out
        self._last_score = LOWEST

    def push(self, frames: np.ndarray) -> list["Window"]:
        """Takes (n, 257) frames; returns the windows that became ready."""
        self._take(frames)
        ready = []
        while len(self._skipped) >= self._scored + self._window + self._context:
            ready += self._score(self._scored + self._window, self._context)
        return ready

    def finish(self) -> list["Window"]:
        """Returns the frames that were waiting for their context."""
        heard = len(self._skipped)
        silence = min(self._silent, SILENT_FRAMES) + LAST_EDGE if self._silent else 0
        at_end = min(silence, heard - self._scored)
        rest = self._score(heard - at_end, context=0) if heard - at_end > self._scored else []
        return rest + self._silence(at_end + self._waiting, self._last_score)

    def _take(self, frames: np.ndarray) -> None:
        """Keeps all frames but those that silence has too many of."""
        if not self._begun and len(frames):
            sounding = np.flatnonzero(frames.any(axis=1))
            self._begun = len(sounding) > 0
            silent = int(sounding[0]) if self._begun else len(frames)
            self._edge = silent + (FIRST_EDGE if self._begun and silent + self._waiting else 0)
        unheard = min(self._edge, len(frames))
        self._edge -= unheard
        self._waiting += unheard
        frames = frames[unheard:]
        if len(frames) == 0:
            return
        at = np.arange(1, len(frames) + 1)
        last_sound = np.maximum.accumulate(np.where(frames.any(axis=1), at, 0))
        silent = at - last_sound + np.where(last_sound, 0, self._silent)
        kept = np.flatnonzero(silent <= SILENT_FRAMES)
        skipped = np.diff(kept, prepend=-1) - 1
        if len(kept):
            skipped[0] += self._waiting
            self._waiting = len(frames) - 1 - int(kept[-1])
            self._frames.append(frames if len(kept) == len(frames) else frames[kept])
            self._skipped = np.concatenate([self._skipped, skipped])
        else:
            self._waiting += len(frames)
        self._silent = int(silent[-1])

    def _score(self, stop: int, context: int) -> list["Window"]:
        frames = np.concatenate(self._frames)
        scores = self._network(frames[: stop + context])
        windows = []
        gaps = np.flatnonzero(self._skipped[self._scored : stop]) + self._scored
        edges = [self._scored, *gaps[gaps > self._scored].tolist(), stop]
        for first, last in itertools.pairwise(edges):
            windows += self._silence(int(self._skipped[first]), scores.score[first])
            windows.append(Window(frames[first:last], scores.part(first, last)))
        self._last_score = scores.score[stop - 1]
        keep_from = max(0, stop - self._context)
        self._frames, self._skipped = [frames[keep_from:]], self._skipped[keep_from:]
        self._scored = stop - keep_from
        return windows

    def _silence(self, count: int, score: float) -> list["Window"]:
        """Windows of ``count`` silent frames that the network didn't hear."""
        sizes = [min(self._window, count - start) for start in range(0, count, self._window)]
        nothing = np.zeros(SPEC.bins, np.float32)
        return [
            Window(
                np.broadcast_to(nothing, (size, SPEC.bins)),
                FrameScores(*(np.full(size, value, np.float32) for value in (score, SILENT_WEIGHT, 0.0))),
            )
            for size in sizes
        ]


def load_model(settings: Settings) -> Model:
    """The process's model; the first call loads it, later ones return it."""
    return _load(settings.model_dir, settings.runtime, settings.threads)


@cache
def _load(folder: Path, runtime: str, threads: int) -> Model:
    return Model(folder, runtime, threads)
