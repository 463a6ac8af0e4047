"""Lambda's memory sizes: the share of a core that each brings, and the time and cost of a recording."""

from functools import partial

from benchmarks import engine
from benchmarks.measuring import milliseconds, numbers_in_turn, short, table
from benchmarks.recordings import saved
from infra.prices import compute_usd

SIZES_MB = (512, 885, 1769, 3538)
ROUNDS = 3
LENGTH_S = 10
SCORES = 60  # in a row: the quota of a share of a core shows only when it is used up
INSIDE = "/recording.wav"
SCORED = f"""
import json, time
import aqscore.aws.handler as handler
from aqscore.pipeline import score_file

def once():
    with open("{INSIDE}", "rb") as file:
        score_file(file, handler.settings.scorer)

once()
started = time.perf_counter()
for _ in range({SCORES}):
    once()
print(json.dumps({{"score_s": (time.perf_counter() - started) / {SCORES}}}))
"""


def run(results: dict) -> dict:
    if engine.command() is None:
        return {}
    image = engine.image("onnx")
    with saved(LENGTH_S) as path:
        mount = ("--volume", f"{path}:{INSIDE}:ro")
        tasks = {
            str(memory_mb): partial(
                engine.run,
                image,
                SCORED,
                *mount,
                "--env",
                f"AQSCORE_THREADS={threads_for(memory_mb)}",
                memory_mb=memory_mb,
            )
            for memory_mb in SIZES_MB
        }
        found = numbers_in_turn(tasks, ROUNDS)
    return {size: row["score_s"] for size, row in found.items()}


def threads_for(memory_mb: int) -> int:
    """One thread for each whole core, at least one."""
    return max(1, memory_mb // engine.MB_PER_CORE)


def show(result: dict) -> str:
    if not result:
        return "Not measured: no container engine is running."
    return table(
        ["Memory, MB", "Cores", "Threads", f"Milliseconds for {LENGTH_S} s of WAV", "Compute, USD a million"],
        [
            [size, short(int(size) / engine.MB_PER_CORE), threads_for(int(size)), milliseconds(times),
             short(1e6 * compute_usd(times["median"], int(size)))]
            for size, times in result.items()
        ],
    )  # fmt: skip
