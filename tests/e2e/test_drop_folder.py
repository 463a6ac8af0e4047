"""A recording in the incoming bucket gets exactly one result, that of its newest version."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from aqscore.config import ScorerConfig
from aqscore.pipeline import score_file
from aqscore.report import Report
from infra.localstack.stack import Stack
from infra.waiting import wait_until
from tests.conftest import wav_bytes
from tests.e2e.events import s3_event

GONE_LIMIT_S = 10
NOT_AUDIO = b"The minutes of the meeting.\n" * 40


def result_versions(stack: Stack, result_key: str) -> list[str]:
    """The versions of a result, newest first; a delete marker is "deleted"."""
    answer = stack.s3.list_object_versions(Bucket=stack.results_bucket, Prefix=result_key)
    entries = [(each["LastModified"], each["VersionId"]) for each in answer.get("Versions", [])]
    removed = [(each["LastModified"], "deleted") for each in answer.get("DeleteMarkers", [])]
    return [version for _, version in sorted(entries + removed, reverse=True)]


def is_gone(stack: Stack, result_key: str) -> bool:
    return stack.read_result(result_key) is None


def test_a_recording_gets_its_report(stack: Stack, speech: np.ndarray, tmp_path) -> None:
    key, body = "calls/first.wav", wav_bytes(speech)
    version = stack.upload(key, body)
    stack.wait_for_result(key, version)

    answer = stack.s3.get_object(Bucket=stack.results_bucket, Key=f"{key}.json")
    report = Report.model_validate_json(answer["Body"].read())
    assert answer["ContentType"] == "application/json"
    assert answer["Metadata"]["source-version-id"] == version
    assert (report.source.bucket, report.source.key) == (stack.incoming_bucket, key)
    assert (report.source.version_id, report.source.size_bytes) == (version, len(body))
    assert report.source.sequencer

    (tmp_path / "first.wav").write_bytes(body)
    with (tmp_path / "first.wav").open("rb") as file:
        here = score_file(file, ScorerConfig.from_env())
    assert report.score == pytest.approx(here.score, abs=1e-4)
    assert report.model == here.model


@pytest.mark.parametrize("key", ["客服 录音/50% off + tax (a+b).wav", "Müller/100%25 sure?#1 & 'so on'.wav"])
def test_any_key_is_scored(stack: Stack, speech: np.ndarray, key: str) -> None:
    version = stack.upload(key, wav_bytes(speech[:16_000]))
    assert stack.wait_for_result(key, version)["source"]["key"] == key
    assert stack.read_result(f"{key}.json")


def test_a_second_delivery_has_no_effect(stack: Stack, speech: np.ndarray, send: Callable) -> None:
    key = "calls/delivered-twice.wav"
    report = stack.wait_for_result(key, stack.upload(key, wav_bytes(speech[:16_000])))
    send(s3_event(report["source"]), s3_event(report["source"]))
    assert len(result_versions(stack, f"{key}.json")) == 1


def test_a_late_event_of_an_old_version_has_no_effect(
    stack: Stack, speech: np.ndarray, send: Callable
) -> None:
    key = "calls/overwritten.wav"
    old = stack.wait_for_result(key, stack.upload(key, wav_bytes(speech[:16_000])))
    newest = stack.upload(key, wav_bytes(speech[:24_000]))
    stack.wait_for_result(key, newest)
    send(s3_event(old["source"]))
    assert stack.read_result(f"{key}.json")["source"]["version_id"] == newest


def test_a_report_replaces_an_error_record_and_vice_versa(stack: Stack, speech: np.ndarray) -> None:
    key = "calls/replaced.wav"
    good = wav_bytes(speech[:16_000])
    for body, result_key, other_key in [
        (NOT_AUDIO, f"{key}.error.json", f"{key}.json"),
        (good, f"{key}.json", f"{key}.error.json"),
        (NOT_AUDIO, f"{key}.error.json", f"{key}.json"),
    ]:
        version = stack.upload(key, body)
        stack.wait_for_result(key, version)
        assert stack.read_result(result_key)["source"]["version_id"] == version
        # It is deleted after the new result is written, so that there always is one.
        wait_until(partial(is_gone, stack, other_key), f"{other_key} to go", GONE_LIMIT_S)
