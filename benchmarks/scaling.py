"""Simulates a burst of a million recordings: the depth of the queue and the latency of the results.

A discrete-event simulation of S3 -> SQS -> Lambda with the measured service times. The event source mapping
scales by AWS's rules: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""

import heapq
from dataclasses import dataclass

import numpy as np

from benchmarks.cost import billed_s
from benchmarks.measuring import short, table
from infra.localstack.install import ROOT

FILES = 1_000_000
PER_SECOND = 10_000  # uploads
LENGTH_S = 10
CONCURRENCIES = (10, 100, 1000)  # MaximumConcurrency: the template's default, and more
FIRST_CALLS = 5  # concurrent calls of an event source mapping at first
MORE_A_MINUTE = 300  # concurrent calls that it adds a minute while messages are waiting
COLD_S = 1.0  # start of a new copy of the function, where it was not measured
JITTER = 0.3  # sigma of the logarithm of the service time: an assumption
SEED = 20_261_124
PICTURE = ROOT / "docs" / "images" / "scaling.png"


@dataclass(frozen=True)
class Load:
    """The files that arrive and the function that scores them. Times in seconds."""

    files: int
    per_second: float
    service_s: float  # median, of a file
    cold_s: float
    concurrency: int  # MaximumConcurrency of the event source mapping


@dataclass(frozen=True)
class Course:
    """The course of a simulation: the depth of the queue at ``times``, and each file's latency from upload to
    result, in seconds; ``copies`` of the function were used."""

    times: np.ndarray
    depths: np.ndarray
    latencies: np.ndarray
    copies: int


def simulate(load: Load, seed: int = SEED) -> Course:
    """Files arrive evenly and are taken in their order, one a call.

    A call takes ``cold_s`` more in a new copy. The number of concurrent calls grows as the mapping does, to
    at most ``concurrency``.
    """
    service = load.service_s * np.random.default_rng(seed).lognormal(0, JITTER, load.files)
    done = np.empty(load.files)
    times, depths = [0.0], [0]
    free = taken = copies = 0
    events: list[tuple[float, bool]] = [(0.0, False)]  # (time, whether a copy becomes free)
    while taken < load.files:
        now, frees = heapq.heappop(events)
        free += frees
        arrived = min(load.files, int(now * load.per_second) + 1)
        allowed = min(load.concurrency, int(FIRST_CALLS + MORE_A_MINUTE / 60 * now))
        while taken < arrived and (free or copies < allowed):
            starts = now
            if free:
                free -= 1
            else:
                copies += 1
                starts += load.cold_s
            done[taken] = starts + service[taken]
            heapq.heappush(events, (done[taken], True))
            taken += 1
        times.append(now)
        depths.append(arrived - taken)
        if not frees and taken < load.files:  # a tick: the mapping grows, and files arrive
            heapq.heappush(events, (now + max(0.2, 1 / load.per_second), False))
    uploaded = np.arange(load.files) / load.per_second
    return Course(np.array(times), np.array(depths), done - uploaded, copies)


def run(results: dict) -> dict:
    if "warm" not in results:
        raise SystemExit("The simulation needs the warm latency: run `python -m benchmarks warm scaling`.")
    score_s = results["warm"]["by_length"][str(LENGTH_S)]["median"]
    service_s = billed_s(LENGTH_S, score_s)
    whole = results.get("cold", {}).get("whole")
    cold_s = whole["onnx"]["all_s"]["median"] if whole else COLD_S
    courses = {
        concurrency: simulate(Load(FILES, PER_SECOND, service_s, cold_s, concurrency))
        for concurrency in CONCURRENCIES
    }
    draw(courses)
    return {
        "service_s": service_s,
        "cold_s": cold_s,
        "by_concurrency": {str(concurrency): summary(course) for concurrency, course in courses.items()},
    }


def summary(course: Course) -> dict[str, float]:
    """The depth, latencies and duration of a course."""
    median, high, longest = np.quantile(course.latencies, [0.5, 0.95, 1.0]).tolist()
    return {
        "deepest": int(course.depths.max()),
        "latency_median_s": median,
        "latency_95_s": high,
        "latency_longest_s": longest,
        "done_s": float((course.latencies + np.arange(len(course.latencies)) / PER_SECOND).max()),
        "copies": course.copies,
    }


def draw(courses: dict[int, Course]) -> None:
    """Draws the depth of the queue and the latencies into docs/images/scaling.png."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    queue, wait = figure.subplots(1, 2)
    for concurrency, course in courses.items():
        kept = slice(None, None, max(1, len(course.times) // 2000))
        name = f"MaximumConcurrency {concurrency:,}"
        queue.plot(course.times[kept] / 60, course.depths[kept] / 1000, label=name)
        shares = np.linspace(0, 1, 500)
        wait.plot(np.quantile(course.latencies, shares) / 60, 100 * shares, label=name)
    queue.set(xlabel="minutes since the first upload", ylabel="thousand messages waiting", xscale="symlog")
    wait.set(xlabel="minutes from upload to result", ylabel="% of the files", xscale="symlog")
    queue.legend()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, dpi=110, metadata={"Software": None})


def show(result: dict) -> str:
    numbers = ("latency_median_s", "latency_95_s", "latency_longest_s", "done_s")
    times = table(
        [
            "MaximumConcurrency",
            "Copies used",
            "Deepest queue",
            "Median latency, s",
            "95 %",
            "Longest",
            "All done",
        ],
        [
            [f"{int(concurrency):,}", f"{one['copies']:,}", f"{one['deepest']:,}"]
            + [short(one[number]) for number in numbers]
            for concurrency, one in result["by_concurrency"].items()
        ],
    )
    return f"""{FILES:,} recordings of {LENGTH_S} s, uploaded at {PER_SECOND:,} a second. A file takes
{1000 * result["service_s"]:.0f} ms, the first in a new copy {result["cold_s"]:.2g} s more (seed {SEED}).

{times}

![Queue and latency](../docs/images/scaling.png)"""
