"""Taking times fairly: medians with their spread, and what is compared in turn, in one run."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from infra.localstack.install import ROOT

# What importing the handler needs; no request is made.
HANDLER_ENVIRONMENT = {
    "AQSCORE_RESULTS_BUCKET": "results",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "OPENBLAS_NUM_THREADS": "1",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and greatest of the values, and how many there are."""
    return {
        "median": statistics.median(values),
        "least": min(values),
        "greatest": max(values),
        "rounds": len(values),
    }


def in_turn(tasks: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, dict[str, float]]:
    """Seconds that each task takes. All have a turn in each round, after one round that doesn't count."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for task in tasks.values():
        task()
    for _ in range(rounds):
        for name, task in tasks.items():
            started = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - started)
    return {name: spread(values) for name, values in seconds.items()}


def answers_in_turn(tasks: Mapping[str, Callable[[], dict]], rounds: int) -> dict[str, dict[str, dict]]:
    """The same for tasks that take their own times: spreads of every number in their answers."""
    answers: dict[str, list[dict]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            answers[name].append(task())
    return {
        name: {field: spread([answer[field] for answer in found]) for field in found[0]}
        for name, found in answers.items()
    }


def ratio(part: Mapping[str, float], whole: Mapping[str, float]) -> float:
    """How many times the second median the first one is."""
    return part["median"] / whole["median"]


def in_fresh_process(code: str, *arguments: str, **environment: str) -> dict[str, Any]:
    """Runs Python code in a process of its own, as Lambda would; returns the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=os.environ | HANDLER_ENVIRONMENT | environment,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"What was to be measured failed: {done.stderr}")
    return json.loads(done.stdout)


def milliseconds(times: Mapping[str, float]) -> str:
    """``6.8 (6.5 to 7.9)``: median, least and greatest."""
    return "{} ({} to {})".format(*(short(1000 * times[key]) for key in ("median", "least", "greatest")))


def seconds(times: Mapping[str, float]) -> str:
    """The same in seconds."""
    return "{} ({} to {})".format(*(short(times[key]) for key in ("median", "least", "greatest")))


def short(number: float) -> str:
    """Three significant digits; whole numbers from 100 on."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
