"""Cold start: import, load and first score in a fresh process, and a container from start to first answer."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import boto3

from aqscore.config import RUNTIMES
from benchmarks import engine
from benchmarks.measuring import answers_in_turn, in_fresh_process, ratio, seconds, table
from benchmarks.recordings import saved, wav
from infra.localstack.install import LOCALSTACK_PYTHON
from infra.localstack.server import localstack

ROUNDS = 5
LENGTH_S = 10
FIRST_SCORE = """
import json, time
started = time.perf_counter()
import aqscore.aws.handler as handler
loaded = time.perf_counter()
from aqscore.report import FileSource, Report
from aqscore.pipeline import score_file
with open({path!r}, "rb") as file:
    Report(source=FileSource(file="a"), **dict(score_file(file, handler.settings.scorer))).model_dump_json()
done = time.perf_counter()
first_s, all_s = done - loaded, done - started
print(json.dumps({{"import_and_load_s": all_s - first_s, "first_score_s": first_s, "all_s": all_s}}))
"""
PARTS = (("import_and_load_s", "import and load"), ("first_score_s", "first score"), ("all_s", "**both**"))
INSIDE = "/recording.wav"
INCOMING, RESULTS, KEY = "bench-incoming", "results", "call.wav"


def run(results: dict) -> dict:
    with saved(LENGTH_S) as path:
        code = FIRST_SCORE.format(path=str(path))
        processes = {
            runtime: partial(in_fresh_process, code, AQSCORE_RUNTIME=runtime) for runtime in RUNTIMES
        }
        found = {"process": answers_in_turn(processes, ROUNDS), "audio_s": LENGTH_S}
        if engine.command() is None:
            return found
        images = {runtime: engine.image(runtime) for runtime in RUNTIMES}
        base_bytes = engine.size_bytes(engine.base_of_dockerfile())
        found["beyond_base_mb"] = {
            runtime: (engine.size_bytes(name) - base_bytes) / 1e6 for runtime, name in images.items()
        }
        code = FIRST_SCORE.format(path=INSIDE)
        mount = ("--volume", f"{path}:{INSIDE}:ro")
        containers = {runtime: partial(engine.run, name, code, *mount) for runtime, name in images.items()}
        found["container"] = answers_in_turn(containers, ROUNDS)
    if LOCALSTACK_PYTHON.exists():
        with objects() as (address, event):
            tasks = {runtime: partial(whole, name, address, event) for runtime, name in images.items()}
            tasks["nothing"] = partial(nothing, images["onnx"])
            found["whole"] = answers_in_turn(tasks, ROUNDS)
    return found


def show(result: dict) -> str:
    rows = []
    for place, title in (("process", "fresh process"), ("container", "container of the image, one core")):
        if place in result:
            times = result[place]
            rows += [
                [f"{title}: {what}", *(seconds(times[runtime][field]) for runtime in RUNTIMES),
                 f"{ratio(times['tensorflow'][field], times['onnx'][field]):.1f}x"]
                for field, what in PARTS
            ]  # fmt: skip
    if "whole" in result:
        whole = {name: result["whole"][name]["all_s"] for name in result["whole"]}
        rows.append(["whole container: start, S3, score, S3, answer", *(seconds(whole[r]) for r in RUNTIMES),
                     f"{ratio(whole['tensorflow'], whole['onnx']):.1f}x"])  # fmt: skip
        rows.append(["a container that does nothing", seconds(whole["nothing"]), "", ""])
    elif "container" in result:
        how = "not measured: first `python -m infra.localstack.install localstack`"
        rows.append(["whole container", how, "", ""])
    if "beyond_base_mb" in result:
        sizes = result["beyond_base_mb"]
        rows.append(["image beyond its base, unpacked, MB", *(f"{sizes[r]:,.0f}" for r in RUNTIMES),
                     f"{sizes['tensorflow'] / sizes['onnx']:.1f}x"])  # fmt: skip
    else:
        rows.append(["containers", "not measured: no container engine answers", "", ""])
    return table(
        [f"Seconds, {result['audio_s']} s of WAV", *RUNTIMES, f"{RUNTIMES[1]} / {RUNTIMES[0]}"], rows
    )


@contextmanager
def objects() -> Iterator[tuple[str, dict]]:
    """S3's address with a recording in it, and the event that has it scored."""
    with tempfile.TemporaryDirectory() as logs, localstack(Path(logs)) as address:
        s3 = boto3.client(
            "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="none",
            aws_secret_access_key="none",
        )  # fmt: skip
        for bucket in (INCOMING, RESULTS):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=RESULTS, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=INCOMING, Key=KEY, Body=wav(LENGTH_S))
        yield address, {"bucket": INCOMING, "key": KEY}


def whole(name: str, address: str, event: dict) -> dict:
    """Seconds from starting a container until its answer, a report, is there."""
    spent_s, answer = engine.start_and_invoke(name, event, {"AWS_ENDPOINT_URL": address})
    if "score" not in answer:
        raise RuntimeError(f"Expected a report, and the container answered {str(answer)[:300]}")
    return {"all_s": spent_s}


def nothing(name: str) -> dict:
    """Seconds for starting a container and ending it."""
    started = time.perf_counter()
    subprocess.run(
        [engine.command(), "run", "--rm", "--network", "none", "--entrypoint", "true", name], check=True
    )
    return {"all_s": time.perf_counter() - started}
