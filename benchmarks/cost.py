"""What a thousand hours of audio cost in AWS, by the length of the recordings, with the arithmetic."""

from benchmarks import prices
from benchmarks.engine import MEMORY_MB
from benchmarks.measuring import short, table

HOURS = 1000
# The S3 requests of one object (aqscore.aws.storage): two HEADs look for a result, one GET reads the
# recording, a HEAD and a PUT write the result, a HEAD looks for a result of the other kind.
GETS, PUTS = 5, 1
ROUND_TRIP_S = 0.02  # an assumption: of each of these, in the same region
READ_BYTES_PER_S = 60e6  # an assumption: of one GET
BYTES_PER_S = 32_000  # 16 kHz mono WAV
BATCH = 5  # messages that one call may take; under light traffic it takes one
SQS_REQUESTS = 3  # a message: sent, received, deleted
PURPOSES = {"compute": "Compute", "requests": "Lambda and SQS requests", "s3": "S3 requests", "logs": "Logs"}
LOG_BYTES = 2_000  # our line, our metrics, Lambda's own three lines


def run(results: dict) -> dict:
    if "warm" not in results:
        raise SystemExit("The cost needs the warm latency: run `python -m benchmarks warm cost`.")
    return {
        length_s: usd(float(length_s), times["median"])
        for length_s, times in results["warm"]["by_length"].items()
    }


def usd(length_s: float, score_s: float) -> dict[str, float]:
    """Dollars for HOURS hours of recordings of that length, each scored in that time, by purpose."""
    files = HOURS * 3600 / length_s
    billed_s = score_s + (GETS + PUTS) * ROUND_TRIP_S + length_s * BYTES_PER_S / READ_BYTES_PER_S
    parts = {
        "compute": files * prices.compute_usd(billed_s, MEMORY_MB),
        "requests": files * (prices.LAMBDA_REQUEST + SQS_REQUESTS * prices.SQS_REQUEST),
        "s3": files * (GETS * prices.S3_GET + PUTS * prices.S3_PUT),
        "logs": files * LOG_BYTES / 1e9 * prices.LOGS_GB,
    }
    return {"files": files, "billed_s": billed_s, **parts, "all": sum(parts.values())}


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
    assumed = f"{1000 * ROUND_TRIP_S:.0f} ms + the bytes of 16 kHz WAV at {READ_BYTES_PER_S / 1e6:.0f} MB/s"
    return f"""{listed}

Billed = the score's time (above) + {GETS + PUTS} requests to S3 of {assumed};
these two are assumptions. Compute = billed x {MEMORY_MB:,} / 1,024 GB x price. A call takes one message, a
message {SQS_REQUESTS} requests to SQS; a file {GETS} GET or HEAD, {PUTS} PUT and {LOG_BYTES:,} bytes of log.
Storage and the upload itself are not in it.

{costs}"""
