"""Removes files from the image's packages that serving never reads: ``python trim.py /packages s3``.

Runs while the image is built (function/Dockerfile) and needs only Python. botocore describes 420 services in
30 MB of JSON. To create one client it searches all their folders and parses the service's description, which
is mostly documentation. docs/decisions/0052 has the numbers.
"""

import gzip
import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Patterns relative to the packages' folder. A pattern that matches nothing stops the build.
UNUSED = (
    "bin",
    "fastapi_offline/static/redoc.standalone.js",  # the API's reference is Swagger UI
    "numpy/**/tests",
    "numpy/_core/include",
    "numpy/**/*.pyi",
    "onnxruntime/capi/libonnxruntime.so.*",  # for C programs: the Python module links its own copy
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
)
UNUSED_WITH_TENSORFLOW = (
    "onnxruntime*",  # the other runtime
    "tensorflow/include",  # with libclang, for building extensions: 350 MB
    "clang",
    "setuptools",
    "grpc",  # for distributed training
    "tensorflow/compiler/mlir/stablehlo/stablehlo_extension.so",  # for export and compilation
    "tensorflow/compiler/tf2xla/ops/_xla_ops.so",
)


def main(arguments: list[str]) -> None:
    packages, services = Path(arguments[0]), set(arguments[1:])
    remove(packages, UNUSED)
    if (packages / "tensorflow").exists():
        remove(packages, UNUSED_WITH_TENSORFLOW)
    trim_botocore(packages / "botocore" / "data", services)


def remove(packages: Path, patterns: Iterable[str]) -> None:
    """Removes files and folders. Raises FileNotFoundError for a pattern that matches nothing."""
    for pattern in patterns:
        found = list(packages.glob(pattern))
        if not found:
            raise FileNotFoundError(f"No {pattern} in {packages}: correct the list in infra/image/trim.py.")
        for path in found:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def trim_botocore(data: Path, services: set[str]) -> None:
    """Keeps the descriptions of the named services, unpacked and without their documentation.

    Raises FileNotFoundError for a service that botocore doesn't describe.
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
    """The document with every documentation text empty. The members stay: botocore requires some of them."""
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
