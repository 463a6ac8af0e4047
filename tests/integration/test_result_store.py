"""aqscore.aws.result_store with a real S3: one result stays, that of the newest version."""

import threading
from datetime import UTC, datetime

import pytest
from botocore.client import BaseClient

from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.result_store import ResultKind, ResultStore
from aqscore.aws.s3 import S3Client
from aqscore.errors import StorageUnavailable
from tests.integration.buckets import stored

REPORT, ERROR_RECORD = ResultKind.REPORT, ResultKind.ERROR_RECORD


@pytest.fixture
def store(s3_client, results) -> ResultStore:
    return ResultStore(s3_client, results)


def version(number: int) -> ObjectRef:
    return ObjectRef("in", "a", f"v{number}", f"e{number}", f"{number:04X}")


def test_a_stored_result_names_the_version_that_it_is_for(s3, store, results):
    source = ObjectRef("in", "录音.wav", "v1", "e1", "0A", 5, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert store.write("录音.wav", REPORT, b"{}", source)
    assert s3.head_object(Bucket=results, Key="录音.wav.json")["ContentType"] == "application/json"
    found = store.find(source)
    assert (found.kind, found.key) == (REPORT, "录音.wav.json")
    assert found.source.is_same_version(source)
    assert (found.source.sequencer, found.source.modified) == (source.sequencer, source.modified)


def test_an_older_result_never_replaces_a_newer_one(s3, store, results):
    newer, older = ObjectRef("in", "a", "v2", "e2", "00FF"), ObjectRef("in", "a", "v1", "e1", "00FE")
    assert store.write("a", REPORT, b"newer", newer)
    assert not store.write("a", REPORT, b"older", older)
    assert not store.write("a", ERROR_RECORD, b"older error", older)
    assert stored(s3, results) == {"a.json": b"newer"}


def test_a_newer_result_replaces_an_older_one_of_either_kind(s3, store, results):
    assert store.write("a", ERROR_RECORD, b"error 1", version(1))
    assert store.write("a", REPORT, b"report 2", version(2))
    assert stored(s3, results) == {"a.json": b"report 2"}
    assert store.write("a", ERROR_RECORD, b"error 3", version(3))
    assert stored(s3, results) == {"a.error.json": b"error 3"}


@pytest.mark.parametrize("kinds", [(REPORT, ERROR_RECORD), (ERROR_RECORD, REPORT)])
def test_of_two_results_for_one_version_the_report_stays(s3, store, results, kinds):
    for kind in kinds:
        store.write("a", kind, kind.name.encode(), version(1))
    assert stored(s3, results) == {"a.json": b"REPORT"}


class DeletedAfterHead:
    """boto3's client, and another writer that deletes a key's newest version after its HEAD."""

    def __init__(self, client: BaseClient, key: str) -> None:
        self._client, self._key = client, key

    def __getattr__(self, name: str):
        return getattr(self._client, name)

    def head_object(self, **request):
        answer = self._client.head_object(**request)
        if request["Key"] == self._key:
            version_id = answer["VersionId"]
            self._client.delete_object(Bucket=request["Bucket"], Key=self._key, VersionId=version_id)
        return answer


def test_a_result_that_another_writer_has_just_deleted_is_no_failure(s3, store, results):
    assert store.write("a", ERROR_RECORD, b"oldest", version(1))
    assert store.write("a", ERROR_RECORD, b"older", version(2))
    client = S3Client(DeletedAfterHead(s3, "a.error.json"))
    assert ResultStore(client, results).write("a", REPORT, b"newer", version(3))
    assert stored(s3, results) == {"a.json": b"newer"}


def test_of_many_concurrent_writers_the_newest_stays(s3, store, results):
    """Twelve versions, reports and error records, written from threads that start together."""
    start = threading.Barrier(12)
    failures = []

    def write(number: int) -> None:
        kind = REPORT if number % 2 else ERROR_RECORD
        start.wait()
        try:
            store.write("a", kind, str(number).encode(), version(number))
        except StorageUnavailable as error:
            failures.append((number, error))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 11 not in [number for number, _ in failures]
    assert stored(s3, results) == {"a.json": b"11"}
