"""The runtimes that run the network on a window of frames: ONNX Runtime (the default) and TensorFlow."""

import os
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from aqscore.model.features import SPEC
from aqscore.model.pooling import FrameScores

OUTPUTS = FrameScores._fields  # of the network, by name


class Network(Protocol):
    """A runtime that runs the network on one window."""

    def __call__(self, frames: NDArray[np.float32]) -> FrameScores:
        """(frames, 257) float32, frames from 1 -> the scores of each frame."""
        ...


class OnnxNetwork:
    """The exported graph in ONNX Runtime: the default, for its cold start."""

    file: ClassVar = "onnx"  # key in model.json's "files"
    package: ClassVar = "onnxruntime"

    def __init__(self, path: Path, threads: int) -> None:
        # Official builds since 1.29 send usage data about model and machine unless this is set before the
        # library is loaded: https://github.com/microsoft/onnxruntime/pull/27379
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def __call__(self, frames: NDArray[np.float32]) -> FrameScores:
        return FrameScores(*(values[0] for values in self._session.run(OUTPUTS, {"frames": frames[None]})))


class TensorFlowNetwork:
    """The reference: the Keras model as it was trained."""

    file: ClassVar = "keras"
    package: ClassVar = "tensorflow"

    def __init__(self, path: Path, threads: int) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # or it logs to standard error when loaded
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        # safe_mode: code in the file is refused, never run (https://keras.io/api/models/model_saving_apis/).
        network = tf.keras.models.load_model(path, compile=False, safe_mode=True)
        # One traced graph for every length: an eager call of Keras takes a hundred times as long.
        signature = [tf.TensorSpec([1, None, SPEC.bins], tf.float32)]
        self._graph = tf.function(lambda frames: network(frames, training=False), input_signature=signature)

    def __call__(self, frames: NDArray[np.float32]) -> FrameScores:
        outputs = self._graph(frames[None])
        return FrameScores(*(outputs[name].numpy()[0] for name in OUTPUTS))


NETWORKS: dict[str, type[OnnxNetwork | TensorFlowNetwork]] = {
    "onnx": OnnxNetwork,
    "tensorflow": TensorFlowNetwork,
}
