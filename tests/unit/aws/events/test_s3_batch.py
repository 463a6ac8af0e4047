"""Tasks of S3 Batch Operations, in both invocation schemas."""

import pytest

from aqscore.aws.events.s3_batch import S3Batch
from aqscore.aws.object_ref import ObjectRef
from tests.unit.aws.events.samples import BATCH, KEY, Context, StubScorer


@pytest.mark.parametrize("event", BATCH, ids=["1.0", "2.0"])
def test_a_task_names_its_object_in_both_schemas(event):
    scorer = StubScorer()
    answer = S3Batch.handle(event, Context(), scorer)
    [ref], [attempt] = scorer.refs, scorer.attempts
    assert ref.bucket == "aqscore-incoming-123456789012-eu-central-1"
    assert ref.key == "recordings/first call.wav"
    assert ref.version_id == event["tasks"][0]["s3VersionId"]
    assert attempt.rescore == ("userArguments" in event["job"])
    assert answer["invocationSchemaVersion"] == event["invocationSchemaVersion"]
    assert answer["invocationId"] == event["invocationId"]
    assert answer["treatMissingKeysAs"] == "PermanentFailure"
    assert [result["taskId"] for result in answer["results"]] == [event["tasks"][0]["taskId"]]


def test_each_task_has_its_own_result_code():
    keys = [
        "good.wav",
        "letter.txt",
        "unavailable",
        "result",
        "bug",
        "calls/a+b%2B%25+%E5%BD%95%E9%9F%B3.wav",
    ]
    event = {
        "invocationSchemaVersion": "2.0",
        "invocationId": "i",
        "job": {"id": "j"},
        "tasks": [
            {"taskId": f"t{i}", "s3Key": key, "s3VersionId": None, "s3Bucket": "incoming"}
            for i, key in enumerate(keys)
        ],
    }
    scorer = StubScorer()
    results = S3Batch.handle(event, Context(), scorer)["results"]
    assert [(result["taskId"], result["resultCode"]) for result in results] == [
        ("t0", "Succeeded"),
        ("t1", "PermanentFailure"),
        ("t2", "TemporaryFailure"),
        ("t3", "PermanentFailure"),
        ("t4", "TemporaryFailure"),
        ("t5", "PermanentFailure"),
    ]
    assert results[0]["resultString"] == "duplicate good.wav.json"
    assert results[1]["resultString"] == "empty_file: Empty."
    assert results[2]["resultString"] == "storage_unavailable: S3 is unavailable."
    assert scorer.refs[-1] == ObjectRef("incoming", KEY)
    assert not scorer.attempts[-1].rescore
