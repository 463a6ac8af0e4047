"""Scores existing recordings: through the queue by the real command, and as S3 Batch Operations calls."""

from collections.abc import Callable
from urllib.parse import quote

import numpy as np
import pytest

from aqscore.report import Report
from infra.localstack.stack import Stack
from infra.waiting import wait_until
from tests.conftest import wav_bytes
from tests.e2e.events import sample

LIMIT_S = 60


@pytest.fixture
def old(stack: Stack, speech: np.ndarray) -> dict[str, str]:
    """Keys of recordings without results -> their version ids."""
    keys = ["old/a b+c.wav", "old/录音.wav", "old/empty.wav"]
    bodies = [wav_bytes(speech[:16_000]), wav_bytes(speech[:24_000]), b""]
    versions = {key: stack.upload(key, body) for key, body in zip(keys, bodies, strict=True)}
    for key, version in versions.items():
        stack.wait_for_result(key, version)
        for ending in (".json", ".error.json"):
            stack.s3.delete_object(Bucket=stack.results_bucket, Key=f"{key}{ending}")
    return versions


def test_a_dry_run_only_estimates(stack: Stack, backfill: Callable, old: dict) -> None:
    done = backfill("--prefix", "old/", "--queue", "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "USD" in done.stdout
    assert all(stack.result(key, version) is None for key, version in old.items())


def test_the_queue_scores_a_prefix_and_rescores_on_request(
    stack: Stack, backfill: Callable, old: dict
) -> None:
    done = backfill("--prefix", "old/", "--queue", "--rate", "50", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    results = {key: stack.wait_for_result(key, version) for key, version in old.items()}
    assert results["old/empty.wav"]["error"]["type"] == "empty_file"
    first = {key: etag_of(stack, key) for key in old if "empty" not in key}

    assert backfill("--prefix", "old/", "--queue", "--yes").returncode == 0
    assert {key: etag_of(stack, key) for key in first} == first

    assert backfill("--prefix", "old/", "--queue", "--yes", "--rescore").returncode == 0
    wait_until(
        lambda: all(etag_of(stack, key) != etag for key, etag in first.items()), "new results", LIMIT_S
    )


def etag_of(stack: Stack, key: str) -> str:
    """The ETag changes with the times in the report, and so with each scoring."""
    return stack.s3.head_object(Bucket=stack.results_bucket, Key=f"{key}.json")["ETag"]


def test_a_backfill_that_cannot_start_names_the_reason(backfill: Callable) -> None:
    for options, text in [
        (("--prefix", "old/"), "Deploy it with Backfill=true"),
        (("--prefix", "nothing/", "--queue"), "There is nothing to score"),
        (("--prefix", "", "--queue"), "Use --yes to start"),
        (("--prefix", "", "--stack", "gone"), "gone"),
    ]:
        done = backfill(*options)
        assert done.returncode == 2
        assert text in done.stdout.replace("\n", " ")


@pytest.mark.parametrize("schema", ["1_0", "2_0"])
def test_batch_operations_get_a_result_for_each_task(stack: Stack, old: dict, schema: str) -> None:
    event = sample(f"s3_batch_{schema}")
    [task] = event["tasks"]
    place = (
        {"s3Bucket": stack.incoming_bucket}
        if schema == "2_0"
        else {"s3BucketArn": f"arn:aws:s3:::{stack.incoming_bucket}"}
    )
    event["tasks"] = [
        task | place | {"taskId": f"t{i}", "s3Key": quote(key), "s3VersionId": None}
        for i, key in enumerate([*old, "old/gone.wav"])
    ]
    answer = stack.invoke(event)
    codes = {result["taskId"]: result["resultCode"] for result in answer["results"]}
    assert codes == {
        "t0": "Succeeded",
        "t1": "Succeeded",
        "t2": "PermanentFailure",
        "t3": "PermanentFailure",
    }
    key = "old/a b+c.wav"
    assert Report.model_validate(stack.result(key, old[key])).score is not None
    assert stack.read_result("old/gone.wav.error.json")["error"]["type"] == "object_not_found"
