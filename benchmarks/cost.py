"""The cost of a thousand hours of audio in AWS, by the length of the recordings, with the arithmetic."""

from benchmarks.engine import MEMORY_MB
from benchmarks.measuring import short, table
from infra import prices, usage

HOURS = 1000
BYTES_PER_S = 32_000  # 16 kHz mono WAV
PURPOSES = {"compute": "Compute", "requests": "Lambda and SQS requests", "s3": "S3 requests", "logs": "Logs"}


def run(results: dict) -> dict:
    if "warm" not in results:
        raise SystemExit("The cost needs the warm latency: run `python -m benchmarks warm cost`.")
    return {
        length_s: usd(float(length_s), times["median"])
        for length_s, times in results["warm"]["by_length"].items()
    }


def billed_s(length_s: float, score_s: float) -> float:
    """Billed seconds of a recording of ``length_s`` seconds: scoring, S3's round trips, and reading."""
    requests_s = (usage.S3_GETS + usage.S3_PUTS) * usage.S3_ROUND_TRIP_S
    return score_s + requests_s + length_s * BYTES_PER_S / usage.S3_READ_BYTES_PER_S


def usd(length_s: float, score_s: float) -> dict[str, float]:
    """US dollars by purpose for HOURS hours of recordings of ``length_s``, each scored in ``score_s``."""
    files = HOURS * 3600 / length_s
    seconds = billed_s(length_s, score_s)
    parts = {
        "compute": files * prices.compute_usd(seconds, MEMORY_MB),
        "requests": files * (prices.LAMBDA_REQUEST + usage.SQS_REQUESTS * prices.SQS_REQUEST),
        "s3": files * (usage.S3_GETS * prices.S3_GET + usage.S3_PUTS * prices.S3_PUT),
        "logs": files * usage.LOG_BYTES / 1e9 * prices.LOGS_GB,
    }
    return {"files": files, "billed_s": seconds, **parts, "all": sum(parts.values())}


def show(result: dict) -> str:
    listed = table(
        [f"Price (us-east-1, noted {prices.NOTED})", "USD"],
        [[name, f"{price:.10f}".rstrip("0")] for name, price in prices.PRICES.items()],
    )
    costs = table(
        ["Recordings of", "Files", "Billed, s a file", *PURPOSES.values(), f"**USD for {HOURS:,} hours**"],
        [
            [f"{int(length_s):,} s", f"{cost['files']:,.0f}", short(cost["billed_s"]),
             *(f"{cost[purpose]:,.2f}" for purpose in PURPOSES), f"**{cost['all']:,.2f}**"]
            for length_s, cost in result.items()
        ],
    )  # fmt: skip
    s3_requests, round_trip_ms = usage.S3_GETS + usage.S3_PUTS, 1000 * usage.S3_ROUND_TRIP_S
    read_mb_per_s = usage.S3_READ_BYTES_PER_S / 1e6
    return f"""{listed}

Billed time = the time of scoring (above) + {s3_requests} requests to S3 of {round_trip_ms:.0f} ms +
reading 16 kHz WAV at {read_mb_per_s:.0f} MB/s. The latter two are assumptions.
Compute = billed time x {MEMORY_MB:,} / 1,024 GB x price.
A call takes one message, and a message takes {usage.SQS_REQUESTS} requests to SQS.
A file takes {usage.S3_GETS} GET or HEAD requests, {usage.S3_PUTS} PUT and {usage.LOG_BYTES:,} bytes of log.
Storage and the upload itself are not included.

{costs}"""
