"""Timing: medians with their spread, and alternatives measured in turn, in one run."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from infra.localstack.install import ROOT

# The variables that the handler needs when it is imported; it makes no request.
HANDLER_ENVIRONMENT = {
    "AQSCORE_RESULTS_BUCKET": "results",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "OPENBLAS_NUM_THREADS": "1",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, minimum and maximum of the values, and their number."""
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "rounds": len(values),
    }


def in_turn(tasks: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, dict[str, float]]:
    """The spread of each task's seconds. Every round runs every task once; the first round isn't counted."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for task in tasks.values():
        task()
    for _ in range(rounds):
        for name, task in tasks.items():
            started = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - started)
    return {name: spread(values) for name, values in seconds.items()}


def numbers_in_turn(tasks: Mapping[str, Callable[[], dict]], rounds: int) -> dict[str, dict[str, dict]]:
    """The same for tasks that return their own numbers: the spread of each field that they return."""
    found: dict[str, list[dict]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            found[name].append(task())
    return {
        name: {field: spread([row[field] for row in rows]) for field in rows[0]}
        for name, rows in found.items()
    }


def ratio(part: Mapping[str, float], whole: Mapping[str, float]) -> float:
    """The first median divided by the second."""
    return part["median"] / whole["median"]


def in_fresh_process(code: str, *arguments: str, **environment: str) -> dict[str, Any]:
    """Runs Python code in a process of its own, as Lambda would; returns the JSON that it prints.

    Raises RuntimeError, with the standard error of the process, when it fails.
    """
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=os.environ | HANDLER_ENVIRONMENT | environment,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"The measured process failed: {done.stderr}")
    return json.loads(done.stdout)


def milliseconds(times: Mapping[str, float]) -> str:
    """``6.8 (6.5 to 7.9)``: median, minimum and maximum in milliseconds."""
    return "{} ({} to {})".format(*(short(1000 * times[key]) for key in ("median", "min", "max")))


def seconds(times: Mapping[str, float]) -> str:
    """The same in seconds."""
    return "{} ({} to {})".format(*(short(times[key]) for key in ("median", "min", "max")))


def short(number: float) -> str:
    """The number with three significant digits; from 100 on, without decimals."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
