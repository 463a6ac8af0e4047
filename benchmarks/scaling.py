"""A burst of a million recordings, simulated: how deep the queue gets and how long results take.

A discrete-event simulation of S3 -> SQS -> Lambda with the service times measured here. The rules of
scaling are AWS's: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""

import heapq
from dataclasses import dataclass

import numpy as np

from benchmarks.cost import BATCH, BYTES_PER_S, GETS, PUTS, READ_BYTES_PER_S, ROUND_TRIP_S
from benchmarks.measuring import short, table
from infra.localstack.install import ROOT

FILES = 1_000_000
PER_SECOND = 10_000  # how fast they are uploaded
LENGTH_S = 10
CONCURRENCIES = (10, 100, 1000)  # the template's default, and more
FIRST_BATCHES = 5  # that the event source mapping hands over at once
MORE_A_MINUTE = 300  # by how many it grows while messages are waiting
COLD_S = 1.0  # when no measurement is there: a new copy of the function, until it takes its first batch
JITTER = 0.3  # sigma of the service time's logarithm: S3's answers vary, an assumption
SEED = 20_261_124
PICTURE = ROOT / "docs" / "images" / "scaling.png"


@dataclass(frozen=True)
class Load:
    """What arrives, and what works on it. Times in seconds."""

    files: int
    per_second: float
    service_s: float  # median, of a file
    cold_s: float
    concurrency: int  # MaximumConcurrency of the event source mapping


@dataclass(frozen=True)
class Course:
    """What became of it: the queue at each change, and each file's wait from upload to result."""

    times: np.ndarray
    depths: np.ndarray
    latencies: np.ndarray
    copies: int


def simulate(load: Load, seed: int = SEED) -> Course:
    """Files arrive evenly and are taken in their order, up to BATCH at a time.

    A batch takes as long as its files after each other, and COLD_S more in a copy that is new. As many
    batches run at once as the mapping has grown to, at most ``concurrency``.
    """
    service = load.service_s * np.random.default_rng(seed).lognormal(0, JITTER, load.files)
    done = np.empty(load.files)
    times, depths = [0.0], [0]
    free = taken = copies = 0
    events: list[tuple[float, bool]] = [(0.0, False)]  # when, and whether a copy becomes free
    while taken < load.files:
        now, frees = heapq.heappop(events)
        free += frees
        arrived = min(load.files, int(now * load.per_second) + 1)
        allowed = min(load.concurrency, int(FIRST_BATCHES + MORE_A_MINUTE / 60 * now))
        while taken < arrived and (free or copies < allowed):
            starts = now
            if free:
                free -= 1
            else:
                copies += 1
                starts += load.cold_s
            stop = min(taken + BATCH, arrived)
            done[taken:stop] = starts + np.cumsum(service[taken:stop])
            heapq.heappush(events, (done[stop - 1], True))
            taken = stop
        times.append(now)
        depths.append(arrived - taken)
        if not frees and taken < load.files:  # the clock: the mapping grows, and files arrive
            heapq.heappush(events, (now + max(0.2, 1 / load.per_second), False))
    uploaded = np.arange(load.files) / load.per_second
    return Course(np.array(times), np.array(depths), done - uploaded, copies)


def run(results: dict) -> dict:
    if "warm" not in results:
        raise SystemExit("The simulation needs the warm latency: run `python -m benchmarks warm scaling`.")
    score_s = results["warm"]["by_length"][str(LENGTH_S)]["median"]
    service_s = score_s + (GETS + PUTS) * ROUND_TRIP_S + LENGTH_S * BYTES_PER_S / READ_BYTES_PER_S
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
    """The numbers of a course that people ask for."""
    half, most, longest = np.quantile(course.latencies, [0.5, 0.95, 1.0]).tolist()
    return {
        "deepest": int(course.depths.max()),
        "latency_median_s": half,
        "latency_95_s": most,
        "latency_longest_s": longest,
        "done_s": float((course.latencies + np.arange(len(course.latencies)) / PER_SECOND).max()),
        "copies": course.copies,
    }


def draw(courses: dict[int, Course]) -> None:
    """The depth of the queue and the latencies, as docs/images/scaling.png."""
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
    return f"""{FILES:,} recordings of {LENGTH_S} s, uploaded at {PER_SECOND:,} a second; a file takes
{1000 * result["service_s"]:.0f} ms, a new copy {result["cold_s"]:.2g} s more (seed {SEED}).

{times}

![Queue and latency](../docs/images/scaling.png)"""
