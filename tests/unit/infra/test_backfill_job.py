"""infra/backfill: lists, estimates, and requests that conform to AWS's own service description."""

import gzip
import io
import json
from collections import Counter
from types import SimpleNamespace

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from aqscore.aws.events.s3_batch import S3Batch
from infra.backfill import job, objects
from infra.backfill.estimate import FIGURES, estimate
from infra.backfill.objects import ListedObject, Totals

KEY = 'calls/a,b "c" +%41 录音.wav'
OUTPUTS = {
    "FunctionAlias": "arn:aws:lambda:eu-central-1:123456789012:function:aqscore-score:live",
    "BackfillRoleArn": "arn:aws:iam::123456789012:role/aqscore-BackfillRole-1",
}
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)
LOCATION = {"ObjectArn": "arn:aws:s3:::aqscore-backfill-1/manifests/1.csv", "ETag": "e"}


def client(service: str):
    return boto3.client(
        service, region_name="eu-central-1", aws_access_key_id="none", aws_secret_access_key="none"
    )


def body(content: bytes) -> dict:
    return {"Body": StreamingBody(io.BytesIO(content), len(content))}


def test_any_key_survives_manifest_and_task():
    file = io.StringIO()
    objects.write_manifest(iter([ListedObject(KEY, 1), ListedObject("b.wav", 2)]), "in", file)
    file.seek(0)
    assert list(objects.read_manifest(file)) == [KEY, "b.wav"]
    bucket, encoded = file.getvalue().splitlines()[0].split(",")
    asked = []

    class Scorer:
        def process(self, ref, attempt):
            asked.append((ref.bucket, ref.key, attempt.rescore))
            raise ZeroDivisionError

    task = {"taskId": "t", "s3Key": encoded, "s3VersionId": None, "s3Bucket": bucket}
    event = {"invocationSchemaVersion": "2.0", "invocationId": "i", "job": {"id": "j"}, "tasks": [task]}
    S3Batch.handle(event, CONTEXT, Scorer())
    assert asked == [("in", KEY, False)]


def test_an_inventory_lists_its_newest_versions():
    rows = [
        ("in", "calls/a+b%2B.wav", "true", "false", "100"),
        ("in", "calls/a+b%2B.wav", "false", "false", "90"),
        ("in", "gone.wav", "true", "true", ""),
    ]
    manifest = {
        "destinationBucket": "arn:aws:s3:::inventories",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, IsLatest, IsDeleteMarker, Size",
        "files": [{"key": "data/1.csv.gz"}],
    }
    table = "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows)
    s3 = client("s3")
    with Stubber(s3) as stub:
        stub.add_response(
            "get_object",
            body(json.dumps(manifest).encode()),
            {"Bucket": "inventories", "Key": "x/manifest.json"},
        )
        stub.add_response(
            "get_object",
            body(gzip.compress(table.encode())),
            {"Bucket": "inventories", "Key": "data/1.csv.gz"},
        )
        found = list(objects.in_manifest(s3, "s3://inventories/x/manifest.json", "in"))
    assert found == [ListedObject("calls/a b+.wav", 100)]


def test_objects_of_another_bucket_are_rejected():
    s3 = client("s3")
    with Stubber(s3) as stub:
        stub.add_response("get_object", body(b"in,a.wav\nelsewhere,b.wav\n"))
        with pytest.raises(ValueError, match="The function may read in only"):
            list(objects.in_manifest(s3, "s3://lists/list.csv", "in"))


@pytest.mark.parametrize("rescore", [True, False])
def test_the_request_conforms_to_the_service_description(rescore: bool):
    request = job.request(OUTPUTS, "123456789012", LOCATION, rescore=rescore, description="a test")
    control = client("s3control")
    with Stubber(control) as stub:
        stub.add_response("create_job", {"JobId": "job-12345"}, request)
        assert control.create_job(**request)["JobId"] == "job-12345"
    operation = request["Operation"]["LambdaInvoke"]
    assert operation["InvocationSchemaVersion"] == "2.0"
    assert operation.get("UserArguments") == ({"rescore": "true"} if rescore else None)


def test_a_job_is_followed_to_its_end():
    control = client("s3control")
    with Stubber(control) as stub:
        for status in ("Preparing", "Active", "Complete"):
            stub.add_response(
                "describe_job",
                {"Job": {"Status": status}},
                {"AccountId": "123456789012", "JobId": "job-12345"},
            )
        seen = [each["Status"] for each in job.follow(control, "123456789012", "job-12345", poll_s=0)]
    assert seen == ["Preparing", "Active", "Complete"]


TEST_FIGURES = {
    "measured": {"seconds_a_file": 0.1, "seconds_a_second_of_audio": 0.01},
    "bytes_per_second": {".wav": 32_000, "other": 16_000},
}


@pytest.fixture
def totals() -> Totals:
    """A thousand WAV files of 100 s."""
    return Totals(files=Counter({".wav": 1000}), size_bytes=Counter({".wav": 1000 * 100 * 32_000}))


def test_the_estimate_adds_up(totals: Totals):
    options = {"memory_mb": 2048, "copies": 10, "figures": TEST_FIGURES}
    by_batch = estimate(totals, "batch", rate=None, **options)
    assert by_batch.audio_s == pytest.approx(100_000)
    assert by_batch.billed_s == pytest.approx(1000 * (0.1 + 6 * 0.02) + 100_000 * 0.01)
    assert by_batch.seconds == pytest.approx(122)
    # By hand from the list prices: GB-seconds, calls, five GETs and a PUT, one LIST, a job of a thousand.
    time_usd = 1220 * 2 * 0.0000166667
    assert by_batch.usd["Lambda, time"] == pytest.approx(time_usd)
    assert by_batch.usd["S3, reading and writing"] == pytest.approx(0.002 + 0.005)
    assert by_batch.total_usd == pytest.approx(time_usd + 0.0002 + 0.007 + 0.000005 + 0.25 + 0.001)
    by_queue = estimate(totals, "queue", rate=5, **options)
    assert by_queue.seconds == pytest.approx(200)
    assert by_queue.usd["SQS"] == pytest.approx(0.0012)


def test_every_figure_names_its_source():
    figures = json.loads(FIGURES.read_text())
    assert all(len(group["source"]) > 20 for group in figures.values())
    assert figures.keys() == TEST_FIGURES.keys()
    assert figures["measured"]["seconds_a_file"] > 0
