"""Cold start: import, load and first score in a fresh process; a container from its start to the response."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import boto3

from aqscore.config import RUNTIMES
from benchmarks import engine
from benchmarks.measuring import in_fresh_process, numbers_in_turn, ratio, seconds, table
from benchmarks.recordings import saved, wav
from infra.image.base import base_image
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
        processes: dict[str, Callable[[], dict]] = {
            runtime: partial(in_fresh_process, code, AQSCORE_RUNTIME=runtime) for runtime in RUNTIMES
        }
        found = {"process": numbers_in_turn(processes, ROUNDS), "audio_s": LENGTH_S}
        if engine.command() is None:
            return found
        images = {runtime: engine.image(runtime) for runtime in RUNTIMES}
        base_bytes = engine.size_bytes(base_image())
        found["beyond_base_mb"] = {
            runtime: (engine.size_bytes(name) - base_bytes) / 1e6 for runtime, name in images.items()
        }
        code = FIRST_SCORE.format(path=INSIDE)
        mount = ("--volume", f"{path}:{INSIDE}:ro")
        containers: dict[str, Callable[[], dict]] = {
            runtime: partial(engine.run, name, code, *mount) for runtime, name in images.items()
        }
        found["container"] = numbers_in_turn(containers, ROUNDS)
    if LOCALSTACK_PYTHON.exists():
        with recording_in_s3() as (address, event):
            tasks: dict[str, Callable[[], dict]] = {
                runtime: partial(whole_container, name, address, event) for runtime, name in images.items()
            }
            tasks["nothing"] = partial(empty_container, images["onnx"])
            found["whole"] = numbers_in_turn(tasks, ROUNDS)
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
        rows.append(["whole container: start, read, score, write", *(seconds(whole[r]) for r in RUNTIMES),
                     f"{ratio(whole['tensorflow'], whole['onnx']):.1f}x"])  # fmt: skip
        rows.append(["a container that does nothing", seconds(whole["nothing"]), "", ""])
    elif "container" in result:
        how = "not measured: run `python -m infra.localstack.install localstack` first"
        rows.append(["whole container", how, "", ""])
    if "beyond_base_mb" in result:
        sizes = result["beyond_base_mb"]
        rows.append(["image without its base, unpacked, MB", *(f"{sizes[r]:,.0f}" for r in RUNTIMES),
                     f"{sizes['tensorflow'] / sizes['onnx']:.1f}x"])  # fmt: skip
    else:
        rows.append(["containers", "not measured: no container engine is running", "", ""])
    return table(
        [f"Seconds, {result['audio_s']} s of WAV", *RUNTIMES, f"{RUNTIMES[1]} / {RUNTIMES[0]}"], rows
    )


@contextmanager
def recording_in_s3() -> Iterator[tuple[str, dict]]:
    """LocalStack's S3 with one recording: its address, and the event that scores the recording."""
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


def whole_container(name: str, address: str, event: dict) -> dict:
    """Seconds from the start of a container to its response, which must be a report."""
    spent_s, response = engine.start_and_invoke(name, event, {"AWS_ENDPOINT_URL": address})
    if "score" not in response:
        raise RuntimeError(f"The container returned {str(response)[:300]}, expected a report.")
    return {"all_s": spent_s}


def empty_container(name: str) -> dict:
    """Seconds to start and end a container that does nothing."""
    started = time.perf_counter()
    engine.output("run", "--rm", "--network", "none", "--entrypoint", "true", name)
    return {"all_s": time.perf_counter() - started}
