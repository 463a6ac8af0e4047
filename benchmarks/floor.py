"""The floor: times the FFT and the network's matrix products alone, beside the whole scoring.

The shapes come from the exported graph, which ONNX Runtime runs once without optimisations. A convolution
counts as the product that im2col makes of it. An LSTM counts as one product for all inputs and, for each
direction, one product a step. NumPy then multiplies matrices of those shapes. The floor is a yardstick
rather than a bound: ONNX Runtime's own products can be quicker.
"""

import json
import math
import os
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import onnx

from aqscore.audio.recording import Recording
from aqscore.config import ScorerConfig
from aqscore.model.features import SPEC, FrameStream, frame_count, frames_of
from aqscore.model.loading import load_model
from benchmarks.measuring import in_turn, milliseconds, ratio, table
from benchmarks.recordings import RATE, report_json, speech, wav

LENGTH_S = 10
ROUNDS = 60
CHUNK = 128  # frames transformed at a time
KERNEL = "_kernel_time"


class Product(NamedTuple):
    """``times`` products of (rows, inner) by (inner, columns), one after the other."""

    rows: int
    inner: int
    columns: int
    times: int = 1

    @property
    def operations(self) -> int:
        """Multiplications and additions."""
        return 2 * self.rows * self.inner * self.columns * self.times


def run(results: dict) -> dict:
    settings = ScorerConfig()
    model = load_model(settings)
    data, samples = wav(LENGTH_S), np.resize(speech(), LENGTH_S * RATE)
    frames = frames_of(samples)
    products = products_of(settings.model_dir / model.info["files"]["onnx"]["name"], len(frames))
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        times = in_turn(
            {
                "all": partial(report_json, data, settings),
                "decode": lambda: decode(file, settings),
                "features": lambda: features(samples),
                "network": partial(model.network, frames),
                "fft": fft_task(samples),
                "products": products_task(products),
            },
            ROUNDS,
        )
    floor_s = times["fft"]["median"] + times["products"]["median"]
    return {
        "times": times,
        "floor_s": floor_s,
        "ratio": times["all"]["median"] / floor_s,
        "megaflop": sum(product.operations for product in products) / 1e6,
        "audio_s": LENGTH_S,
    }


def show(result: dict) -> str:
    times = result["times"]
    named = ["decode", "features", "network"]
    rest_s = times["all"]["median"] - sum(times[name]["median"] for name in named)
    stages = table(
        [f"{result['audio_s']} s of WAV", "Milliseconds", "Share"],
        [
            *([name, milliseconds(times[name]), f"{ratio(times[name], times['all']):.0%}"] for name in named),
            ["rest (file, signal statistics, timeline, JSON)", f"{1000 * rest_s:.2g}",
             f"{rest_s / times['all']['median']:.0%}"],
            ["**all**", milliseconds(times["all"]), ""],
            ["FFT alone (NumPy's, float32)", milliseconds(times["fft"]), ""],
            [f"matrix products alone ({result['megaflop']:,.0f} MFLOP)", milliseconds(times["products"]), ""],
        ],
    )  # fmt: skip
    floor = f"the floor ({1000 * result['floor_s']:.3g} ms)"
    return f"{stages}\n\nScoring takes **{result['ratio']:.2f}** times {floor}."


def decode(file: BinaryIO, settings: ScorerConfig) -> None:
    with Recording(file, settings.limits) as recording:
        for _ in recording.blocks():
            pass


def features(samples: np.ndarray) -> None:
    stream = FrameStream()
    stream.push(samples)
    stream.finish()


def fft_task(samples: np.ndarray) -> Callable[[], None]:
    """A task that transforms all frames of the samples, between buffers that are allocated beforehand."""
    count = frame_count(len(samples))
    windows = np.lib.stride_tricks.sliding_window_view(samples, SPEC.frame_length)[:: SPEC.hop]
    windows = np.ascontiguousarray(windows[:count])
    spectra = np.empty((CHUNK, SPEC.bins), np.complex64)

    def transform() -> None:
        for start in range(0, count, CHUNK):
            chunk = windows[start : start + CHUNK]
            np.fft.rfft(chunk, axis=1, out=spectra[: len(chunk)])

    return transform


def products_task(products: Iterable[Product]) -> Callable[[], None]:
    """A task that multiplies matrices of these shapes, in buffers that are allocated beforehand."""
    rng = np.random.default_rng(1)
    prepared = []
    for rows, inner, columns, times in products:
        left, right = rng.random((rows, inner), np.float32), rng.random((inner, columns), np.float32)
        if rows == 1:  # the layout in which OpenBLAS is quickest with a vector
            left, right = np.ascontiguousarray(right.T), left[0]
        prepared.append((left, right, left @ right, times))

    def multiply() -> None:
        for left, right, out, times in prepared:
            for _ in range(times):
                np.dot(left, right, out=out)

    return multiply


def products_of(graph: Path, frames: int) -> list[Product]:
    """The matrix products that the network needs for a number of frames."""
    nodes = onnx.load(graph).graph
    weights = {weight.name: list(weight.dims) for weight in nodes.initializer}
    shapes = shapes_in(graph, frames)
    found = []
    for node in nodes.node:
        own = [weights[name] for name in node.input if name in weights]
        found += as_products(node.op_type, *shapes.get(node.name, ([], [])), own)
    return found


def as_products(
    operator: str, inputs: list[list[int]], outputs: list[list[int]], weights: list[list[int]]
) -> list[Product]:
    """The products in one node, from its operator and the shapes of its inputs, outputs and weights."""
    match operator:
        case "MatMul" | "Gemm":
            left, right = [*inputs, *weights][:2]
            return [Product(math.prod(left[:-1]), left[-1], right[-1])]
        case "Conv":
            [kernel, *_], [batch, channels, *positions] = weights, outputs[0]
            groups = inputs[0][1] // kernel[1]
            return [Product(batch * math.prod(positions), math.prod(kernel[1:]), channels // groups, groups)]
        case "LSTM":
            [steps, batch, width], [directions, gates, units] = inputs[0], weights[1]
            return [
                Product(steps * batch, width, gates, directions),
                Product(batch, units, gates, directions * steps),
            ]
    return []


def shapes_in(graph: Path, frames: int) -> dict[str, tuple[list, list]]:
    """Node -> the shapes of its inputs (without weights) and of its outputs, for a number of frames."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.enable_profiling = True
        options.profile_file_prefix = f"{folder}/profile"
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        session.run(None, {"frames": np.ones((1, frames, SPEC.bins), np.float32)})
        events = json.loads(Path(session.end_profiling()).read_text())
    return {
        event["name"].removesuffix(KERNEL): (
            _shapes(event["args"]["input_type_shape"]),
            _shapes(event["args"]["output_type_shape"]),
        )
        for event in events
        if event["name"].endswith(KERNEL)
    }


def _shapes(described: list[dict[str, list[int]]]) -> list[list[int]]:
    return [shape for each in described for shape in each.values()]
