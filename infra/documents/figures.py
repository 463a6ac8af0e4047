"""Figures of the shipped model and of the benchmarks, as the pages quote them.

The sources: model_artifacts/model.json, written by training.release, and benchmarks/results.json, written
by `make bench`.
"""

import json
import math
from typing import Any

from infra import prices, usage
from infra.documents.sections import DOCS, ROOT

COMPARISON = DOCS / "comparison.md"
SCALING = DOCS / "scaling.md"
RATES = (10, 1_000, 100_000)  # recordings a second
DAY_S = 86_400
MEMORY_MB = 1_769  # one core, and the template's default
FIRST_CALLS, MORE_A_MINUTE = 5, 300  # of the queue's pollers


def model() -> dict[str, Any]:
    """The description of the shipped model."""
    return json.loads((ROOT / "model_artifacts" / "model.json").read_text())


def benchmarks() -> dict[str, Any]:
    """The results of the benchmarks."""
    return json.loads((ROOT / "benchmarks" / "results.json").read_text())


def two_digits(number: float) -> str:
    """The number with two significant digits: 0.15, 3.7, 150, 15,000."""
    digits = 1 - math.floor(math.log10(abs(number)))
    return f"{round(number, digits):,.{max(digits, 0)}f}"


def shipped_model(described: dict[str, Any], measured: dict[str, Any]) -> str:
    """The accuracy and the cost of the shipped model, for the page that compares tools."""
    elsewhere = described["metrics"]["elsewhere"]
    rows = [
        [
            row["name"].removeprefix("elsewhere: "),
            f"{row['value']:.3f}",
            f"{row['low']:.3f} to {row['high']:.3f}",
        ]
        for row in elsewhere["rows"]
        if row["low"] is not None
    ]
    pesq, own = (1000 * times["median"] for times in measured["reference"].values())
    minute = measured["length"]["lengths"]["60"]
    rows += [
        ["ms for 10 s, decoder and report included", f"{own:.0f}", f"PESQ in the same run: {pesq:.0f}"],
        ["peak memory for a minute, MB", f"{minute['peak_mb'] + minute['decoder_mb']:.0f}", ""],
    ]
    lines = [
        f"| model {described['version']}, {elsewhere['recordings']} recordings | value | 95 % interval |",
        "|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def service_time(measured: dict[str, Any]) -> str:
    """The time of one recording, and its parts."""
    cost, score_s = measured["cost"]["10"], measured["warm"]["by_length"]["10"]["median"]
    requests = usage.S3_GETS + usage.S3_PUTS
    return (
        f"Ten seconds of audio take about {two_digits(cost['billed_s'])} s with one core. Scoring is "
        f"{two_digits(score_s)} s of that. The rest is\n{requests} requests to S3 (assumed "
        f"{1000 * usage.S3_ROUND_TRIP_S:.0f} ms each) and reading.\n"
    )


def capacity(measured: dict[str, Any]) -> str:
    """The table of what 10, 1,000 and 100,000 recordings of 10 s a second need."""
    seconds = measured["cost"]["10"]["billed_s"]
    few, many, most = (rate * seconds for rate in RATES)  # busy copies
    busy = f"{math.ceil(few)} | {two_digits(many)} | {two_digits(most)}"
    concurrency = 100 * math.ceil(many / 100)
    account = 1_000 * (math.ceil(most / 1_000) + 1)  # some for other functions
    growth = "half a minute" if many < FIRST_CALLS + MORE_A_MINUTE / 2 else "a minute"
    logs, compute = (
        " | ".join(f"{two_digits(DAY_S * rate * usd)} USD a day" for rate in RATES)
        for usd in (usage.LOG_BYTES / 1e9 * prices.LOGS_GB, prices.compute_usd(seconds, MEMORY_MB))
    )
    return f"""\
| recordings of 10 s, a second | 10 | 1,000 | 100,000 |
| --- | --- | --- | --- |
| busy copies | {busy} |
| `MaximumConcurrency` needed (default 10) | default | {concurrency:,} | 1,000 is the most; see below |
| Lambda concurrency of the account (default 1,000, shared) | fine | fine | raise to {account:,} |
| reached after an idle queue, at 300 copies more a minute | at once | {growth} | 3 minutes to 1,000 |
| S3 on the results: 1 PUT (3,500/s a prefix) and 4 HEAD (5,500/s a prefix) | 10 and 40 | 1,000 and 4,000 | 100,000 and 400,000: 73 prefixes |
| S3 on the recordings: the upload's PUT and 1 GET | 10 and 10 | 1,000 and 1,000 | 100,000 each: 29 prefixes |
| SQS messages in flight (120,000 a queue) | {busy} |
| KMS calls, with `KmsKeyArn` (10,000 to 100,000/s a region) | few | few | see below |
| log, at 2 kB a file, taken in at 0.50 USD a GB | {logs} |
| Lambda compute ({two_digits(seconds)} s, {MEMORY_MB:,} MB) | {compute} |
"""  # noqa: E501


def burst(measured: dict[str, Any]) -> str:
    """The time until the last result of a burst of a million recordings."""
    done = {name: run["done_s"] for name, run in measured["scaling"]["by_concurrency"].items()}
    ten, hundred, thousand = (done[name] for name in ("10", "100", "1000"))
    return (
        f"With ten copies the last result comes after {two_digits(ten / 3600)} hours; with a hundred, after "
        f"{two_digits(hundred / 60)} minutes; with a\nthousand, after {two_digits(thousand / 60)} minutes, "
        "most of which is the growth of the pollers.\n"
    )
