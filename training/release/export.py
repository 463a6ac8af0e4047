"""Exports a training run: `python -m training.release.export --run DIR --corpus DIR --out DIR`.

Writes model.keras, model.onnx, model.json, MODEL_CARD.md and conformance.json. It exports the network,
calibrates it, measures it as training.evaluation.evaluate does, and pins the conformance scores.
"""

import argparse
import hashlib
import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import onnx

from aqscore.model.features import SPEC
from aqscore.model.runtimes import OUTPUTS, OnnxNetwork
from aqscore.scale import SCALE
from training.evaluation import calibration, evaluate
from training.evaluation.short_speech import short_speech_table
from training.evaluation.table import print_table
from training.network.dataset import read_manifest
from training.network.weights import average_with_start, round_weights
from training.release import card, conformance

WINDOW = {"frames": 4096, "context": 256}
RUNTIME_TOLERANCE = 1e-4
MANTISSA_BITS = 10  # of the exported weights
CHECKED_LENGTHS = (1, 2, 3, 4, 37, 250, 625)
VERSIONS = {"tensorflow": "tensorflow-cpu", "keras": "keras", "onnxruntime": "onnxruntime", "numpy": "numpy"}


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"Keras runs on {keras.backend.backend()}, expected tensorflow for the export: unset "
            "KERAS_BACKEND."
        )
    if options.recalibrate:
        network, run, trained_on = _exported_before(options.recalibrate)
    else:
        network, run, trained_on = *_trained(options.run), {}
    if options.start:
        average_with_start(network, _load(options.start / "model.keras"), options.start_share)
        run["start_share"] = options.start_share
    if not options.recalibrate:
        round_weights(network, MANTISSA_BITS)
    options.out.mkdir(parents=True, exist_ok=True)
    write_networks(network, options.out)
    info = describe(network, options.out, version=options.version, run=run)
    exported, power = OnnxNetwork(options.out / "model.onnx", threads=1), info["pooling"]["power"]
    found = calibration.predictions(exported, power, options.corpus)
    info["no_speech"] = calibration.no_speech_rule(found)
    info["interval"] = calibration.interval_table(found, info["no_speech"], options.widen)
    info["mos"] = {"interval": calibration.mos_interval_table(found)}
    info["causes"] = calibration.cause_thresholds(found)
    info["data"] = corpus_summary(options.corpus) | trained_on
    write_info(info, options.out)
    info["interval"]["short_speech"] = short_speech_table(options.corpus, options.out)
    write_info(info, options.out)
    info["metrics"] = evaluate.evaluate(options.corpus, options.out, options.plots, options.elsewhere)
    write_info(info, options.out)
    (options.out / "MODEL_CARD.md").write_text(card.render(info))
    conformance.main(["--model", str(options.out)])
    print_table(info["metrics"])


def write_networks(network: keras.Model, out: Path) -> None:
    """Writes model.keras and model.onnx and compares them.

    Raises ValueError when the graph has no LSTM operator (a loop would be ten times as slow), or when
    the two disagree by more than 1e-4 on any output at any of the lengths tried.
    """
    network.save(out / "model.keras")
    signature = [keras.InputSpec(shape=(None, None, SPEC.bins), dtype="float32", name="frames")]
    network(np.zeros((1, 4, SPEC.bins), np.float32))
    network.export(out / "model.onnx", format="onnx", verbose=False, input_signature=signature)
    operators = {node.op_type for node in onnx.load(out / "model.onnx").graph.node}
    if "LSTM" not in operators or operators & {"Loop", "Scan"}:
        raise ValueError(
            f"The exported graph has no LSTM operator but {sorted(operators)}: expected tf2onnx to find the "
            "recurrence. Check the pinned versions of tf2onnx and keras."
        )
    difference = disagreement(network, OnnxNetwork(out / "model.onnx", threads=1))
    if difference > RUNTIME_TOLERANCE:
        raise ValueError(
            f"TensorFlow and ONNX Runtime disagree by {difference:.2g}, expected at most "
            f"{RUNTIME_TOLERANCE}. Compare the two graphs layer by layer before shipping either."
        )


def disagreement(network: keras.Model, exported: OnnxNetwork) -> float:
    """The largest absolute difference of any output over noise of several lengths."""
    generator = np.random.default_rng(0)
    largest = 0.0
    for length in CHECKED_LENGTHS:
        frames = np.abs(generator.standard_normal((length, SPEC.bins))).astype(np.float32)
        expected = network(frames[None], training=False)
        for name, values in zip(OUTPUTS, exported(frames), strict=True):
            if values.shape != expected[name][0].shape:
                raise ValueError(
                    f"Output {name} of {length} frames has shape {values.shape}, expected "
                    f"{tuple(expected[name][0].shape)}."
                )
            largest = max(largest, float(np.abs(values - expected[name][0]).max()))
    return largest


def describe(network: keras.Model, out: Path, version: str, run: dict) -> dict:
    """The content of model.json before calibration and measurement."""
    return {
        "name": "aqscore-bilstm",
        "version": version,
        "scale": SCALE,
        "features": SPEC.as_dict(),
        "files": {kind: _file(out / f"model.{kind}") for kind in ("onnx", "keras")},
        "parameters": network.count_params(),
        "window": WINDOW,
        "pooling": {"power": run["config"]["power"]},
        "interval": None,
        "no_speech": None,
        "mos": None,
        "causes": None,
        "training": run,
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in VERSIONS},
        "data": None,
        "metrics": None,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def corpus_summary(corpus: Path) -> dict:
    """Clips, hours and degradations of each set."""
    sets: dict[str, dict] = {}
    for clip in read_manifest(corpus):
        entry = sets.setdefault(clip["set"], {"clips": 0, "hours": 0.0, "speakers": set(), "groups": set()})
        entry["clips"] += 1
        entry["hours"] += clip["seconds"] / 3600
        entry["speakers"].update(clip["speakers"])
        entry["groups"].add(clip["group"])
    return {
        name: {
            "clips": entry["clips"],
            "hours": round(entry["hours"], 2),
            "speakers": len(entry["speakers"]),
            "groups": sorted(entry["groups"]),
        }
        for name, entry in sorted(sets.items())
    }


def write_info(info: dict, out: Path) -> None:
    """Writes model.json atomically."""
    partial = out / "model.json.partial"
    partial.write_text(json.dumps(info, indent=2) + "\n")
    partial.replace(out / "model.json")


def _file(path: Path) -> dict:
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _trained(run: Path) -> tuple[keras.Model, dict]:
    """A run's network, and its training record: run.json and its length."""
    settings = json.loads((run / "run.json").read_text())
    history = json.loads((run / "history.json").read_text())
    done = {
        "epochs_done": len(history),
        "minutes_done": history[-1]["minutes"],
        "clips_seen": sum(e["clips"] for e in history),
    }
    return _load(run / "network.keras"), settings | done


def _exported_before(model: Path) -> tuple[keras.Model, dict, dict]:
    """A model's network, its training record and its train set: the corpus that measures may be another."""
    path, info = model / "model.keras", json.loads((model / "model.json").read_text())
    run = info["training"] | {"recalibrated_sha256": _file(path)["sha256"]}
    return _load(path), run, {"train": info["data"]["train"]}


def _load(path: Path) -> keras.Model:
    return keras.models.load_model(path, compile=False)


def _version(name: str) -> str:
    return version(VERSIONS[name])


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.release.export", description=(__doc__ or "").split("\n")[0]
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", type=Path, help="folder that training.network.train wrote")
    source.add_argument(
        "--recalibrate", type=Path, help="folder of an exported model to calibrate and measure again"
    )
    parser.add_argument(
        "--corpus", type=Path, required=True, help="corpus whose dev sets calibrate and measure"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the model, made when missing")
    parser.add_argument(
        "--widen",
        type=float,
        default=1.0,
        help="factor on the interval's errors, for recordings unlike the corpus (%(default)s)",
    )
    parser.add_argument(
        "--start", type=Path, help="model that the run began with, to average the run's weights with"
    )
    parser.add_argument(
        "--start-share", type=float, default=0.4, help="share of that model's weights (%(default)s)"
    )
    parser.add_argument("--version", default="1.0.0", help="version to ship it as")
    parser.add_argument("--plots", type=Path, help="folder for the evaluation's plots")
    parser.add_argument("--elsewhere", type=Path, help="manifest.jsonl of labelled recordings from elsewhere")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
