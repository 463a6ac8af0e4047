"""Estimates the cost and the duration of a backfill from measured times (figures.json) and list prices."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.table import Table

from infra import prices, usage
from infra.backfill.objects import Totals

FIGURES = Path(__file__).with_name("figures.json")
Route = Literal["batch", "queue"]


@dataclass(frozen=True)
class Estimate:
    """The estimate of a whole backfill."""

    files: int
    size_bytes: int
    audio_s: float  # from the sizes, at each format's usual bit rate
    billed_s: float
    seconds: float  # from the first file to the last
    usd: Mapping[str, float]  # by purpose

    @property
    def total_usd(self) -> float:
        return sum(self.usd.values())


def estimate(
    totals: Totals,
    route: Route,
    *,
    memory_mb: int,
    copies: int,
    rate: float | None,
    figures: Mapping | None = None,
) -> Estimate:
    """Estimates a backfill by S3 Batch Operations (``batch``) or through the stack's queue (``queue``).

    ``copies`` of the function run at the same time; at most ``rate`` files a second reach them.
    """
    figures = figures or json.loads(FIGURES.read_text())
    measured, sizes = figures["measured"], figures["bytes_per_second"]
    files = totals.files.total()
    audio_s = sum(count / sizes.get(suffix, sizes["other"]) for suffix, count in totals.size_bytes.items())
    requests_s = (usage.S3_GETS + usage.S3_PUTS) * usage.S3_ROUND_TRIP_S
    file_s = measured["seconds_a_file"] + requests_s
    billed_s = files * file_s + audio_s * measured["seconds_a_second_of_audio"]
    usd = {
        "Lambda, time": prices.compute_usd(billed_s, memory_mb),
        "Lambda, calls": files * prices.LAMBDA_REQUEST,
        "S3, reading and writing": files * (usage.S3_GETS * prices.S3_GET + usage.S3_PUTS * prices.S3_PUT),
        "S3, listing": files / usage.S3_LIST_KEYS * prices.S3_LIST,
    }
    if route == "batch":
        usd["S3 Batch Operations"] = prices.S3_BATCH_JOB + files * prices.S3_BATCH_OBJECT
    else:
        usd["SQS"] = files * usage.SQS_REQUESTS * prices.SQS_REQUEST
    seconds = max(billed_s / copies, files / rate if rate else 0)
    return Estimate(files, totals.size_bytes.total(), audio_s, billed_s, seconds, usd)


def table_of(result: Estimate, totals: Totals, copies: int) -> Table:
    """The estimate as a table, with the counts that it is based on."""
    table = Table(show_header=False)
    table.add_row("Files", f"{result.files:,}")
    for suffix, count in totals.files.most_common():
        table.add_row(
            f"  {suffix or 'without a suffix'}", f"{count:,}, {totals.size_bytes[suffix] / 1e9:,.3f} GB"
        )
    table.add_row("Audio, at the usual bit rate of each format", f"{result.audio_s / 3600:,.1f} h")
    table.add_row(f"Time, with {copies} copies of the function", _duration(result.seconds))
    for purpose, usd in result.usd.items():
        table.add_row(f"  {purpose}", f"{usd:,.2f} USD")
    table.add_row("Cost", f"[bold]{result.total_usd:,.2f} USD")
    return table


def sources_of_figures() -> str:
    """One line that names the sources of the figures."""
    figures = json.loads(FIGURES.read_text())
    return f"Times: {figures['measured']['source']}. Prices: AWS's list for us-east-1, noted {prices.NOTED}."


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    return f"{minutes:,.0f} min" if minutes < 120 else f"{minutes / 60:,.1f} h"
