"""Takes out of the image's packages what serving never reads: ``python trim.py /packages s3``.

Runs while the image is built (function/Dockerfile), with nothing but Python. botocore describes 420
services in 30 MB of JSON; to make one client it looks through all their folders and parses what it will
call, most of which is documentation. docs/decisions/0052 has the numbers.
"""

import gzip
import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Relative to the packages' folder; what doesn't match anything has moved, and is to be looked at.
NEEDLESS = (
    "bin",
    "numpy/**/tests",
    "numpy/_core/include",
    "numpy/**/*.pyi",
    "onnxruntime/capi/libonnxruntime.so.*",  # for programs in C: the Python module has its own copy inside
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
)
NEEDLESS_WITH_TENSORFLOW = (
    "onnxruntime*",  # the other runtime
    "tensorflow/include",  # with libclang for building on TensorFlow, 350 MB
    "clang",
    "setuptools",
    "grpc",  # for training on several machines
    "tensorflow/compiler/mlir/stablehlo/stablehlo_extension.so",  # for exporting, and for compiling ahead
    "tensorflow/compiler/tf2xla/ops/_xla_ops.so",
)


def main(arguments: list[str]) -> None:
    packages, services = Path(arguments[0]), set(arguments[1:])
    remove(packages, NEEDLESS)
    if (packages / "tensorflow").exists():
        remove(packages, NEEDLESS_WITH_TENSORFLOW)
    trim_botocore(packages / "botocore" / "data", services)


def remove(packages: Path, patterns: Iterable[str]) -> None:
    """Removes files and folders. Raises FileNotFoundError for a pattern that matches nothing."""
    for pattern in patterns:
        found = list(packages.glob(pattern))
        if not found:
            raise FileNotFoundError(f"No {pattern} in {packages}: mend the list in infra/image/trim.py.")
        for path in found:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def trim_botocore(data: Path, services: set[str]) -> None:
    """Keeps the named services' descriptions, unpacked and without their documentation.

    Raises FileNotFoundError for a service that botocore doesn't know.
    """
    for folder in [path for path in data.iterdir() if path.is_dir()]:
        if folder.name not in services:
            shutil.rmtree(folder)
    if missing := sorted(name for name in services if not (data / name).is_dir()):
        raise FileNotFoundError(f"botocore describes no service called {', '.join(missing)}.")
    for path in data.rglob("*.json*"):
        packed = path.suffix == ".gz"
        document = json.loads(gzip.decompress(path.read_bytes()) if packed else path.read_bytes())
        if path.name == "endpoints.json":
            for partition in document["partitions"]:
                known = partition["services"]
                partition["services"] = {name: known[name] for name in known if name in services}
        path.unlink()
        path.with_name(path.name.removesuffix(".gz")).write_text(json.dumps(without_documentation(document)))


def without_documentation(document: Any) -> Any:
    """The same with every text for people empty: botocore wants some of them to be there."""
    if isinstance(document, dict):
        return {
            name: "" if name == "documentation" and isinstance(value, str) else without_documentation(value)
            for name, value in document.items()
        }
    if isinstance(document, list):
        return [without_documentation(value) for value in document]
    return document


if __name__ == "__main__":
    main(sys.argv[1:])
