"""Peak memory and speed by length, up to ten hours; and ten hours in a function with 1 GB of memory."""

from benchmarks import engine
from benchmarks.measuring import in_fresh_process, short, table
from benchmarks.recordings import saved

LENGTHS_S = (1, 60, 600, 3600, 36_000)
MINUTE_S, LONGEST_S = 60, 36_000
SMALL_MB = 1024
LIMIT_BYTES = "2000000000"
SCORED = """
import json, os, time
from pathlib import Path
import aqscore.aws.handler as handler
from aqscore.report import FileSource, Report
from aqscore.pipeline import score_file

def status(process):
    lines = Path(f"/proc/{{process}}/status").read_text().splitlines()
    return dict(line.split(":", 1) for line in lines)

def peak_mb(process):
    return int(status(process)["VmHWM"].split()[0]) / 1000

started = time.perf_counter()
with open({path!r}, "rb") as file:
    report = Report(source=FileSource(file="a"), **dict(score_file(file, handler.settings.scorer)))
body = report.model_dump_json()
spent = time.perf_counter() - started
processes = [path.name for path in Path("/proc").iterdir() if path.name.isdigit()]
children = [p for p in processes if Path(f"/proc/{{p}}").exists() and int(status(p)["PPid"]) == os.getpid()]
print(json.dumps({{
    "spent_s": spent, "peak_mb": peak_mb("self"), "decoder_mb": max(map(peak_mb, children)),
    "json_bytes": len(body), "audio_s": report.media.duration_s,
}}))
"""
INSIDE = "/recording.wav"


def run(results: dict) -> dict:
    found: dict = {"lengths": {}}
    for length_s in LENGTHS_S:
        with saved(length_s) as path:
            code = SCORED.format(path=str(path))
            found["lengths"][str(length_s)] = in_fresh_process(code, AQSCORE_MAX_BYTES=LIMIT_BYTES)
            if length_s == LONGEST_S and engine.command():
                code, mount = SCORED.format(path=INSIDE), ("--volume", f"{path}:{INSIDE}:ro")
                limit = ("--env", f"AQSCORE_MAX_BYTES={LIMIT_BYTES}")
                found["small_function"] = engine.run(
                    engine.image("onnx"), code, *mount, *limit, memory_mb=SMALL_MB
                )
    peaks = {length_s: total_mb(one) for length_s, one in found["lengths"].items()}
    found["ratio"] = peaks[str(LONGEST_S)] / peaks[str(MINUTE_S)]
    return found


def total_mb(measured: dict) -> float:
    """Peak memory of both processes: an upper bound, since pages that they share count twice."""
    return measured["peak_mb"] + measured["decoder_mb"]


def show(result: dict) -> str:
    lengths = table(
        ["Audio", "Peak MB", "of which decoder", "Seconds of audio a second", "Report, kB"],
        [
            [f"{int(length_s):,} s", short(total_mb(one)), short(one["decoder_mb"]),
             short(one["audio_s"] / one["spent_s"]), short(one["json_bytes"] / 1000)]
            for length_s, one in result["lengths"].items()
        ],
    )  # fmt: skip
    text = f"{lengths}\n\nTen hours take **{result['ratio']:.2f}** times the memory of a minute."
    if "small_function" in result:
        small = result["small_function"]
        text += (
            f" In a container with {SMALL_MB:,} MB and the share of a core that comes with them they take "
            f"{small['spent_s']:.0f} s of the 900 s that Lambda gives."
        )
    return text
