"""The image itself, in a container under Lambda's rules: its memory, a file system that can't be written.

Needs a container engine and a built image, which AQSCORE_IMAGE names:
    docker build -f function/Dockerfile --target onnx -t localhost/aqscore:onnx .
    AQSCORE_RUNTIME=onnx AQSCORE_IMAGE=localhost/aqscore:onnx make test
"""

import os
from collections.abc import Iterator

import numpy as np
import pytest

from function.report import ErrorRecord, Report
from function.settings import Settings
from infra.localstack.server import localstack
from infra.localstack.stack import Stack, deploy
from tests.conftest import wav_bytes

IMAGE = os.environ.get("AQSCORE_IMAGE")


@pytest.fixture(scope="module")
def containers(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack with the function in containers."""
    if not IMAGE:
        pytest.skip("no image to test: build one, and name it in AQSCORE_IMAGE")
    with localstack(tmp_path_factory.mktemp("container-logs"), "container") as address:
        stack = deploy(address, IMAGE, Settings.from_env().runtime)
        stack.start_function()
        yield stack


def test_the_image_scores(containers: Stack, speech: np.ndarray) -> None:
    key = "calls/in a container.wav"
    version = containers.drop(key, wav_bytes(speech))
    report = Report.model_validate(containers.wait_for_result(key, version))
    assert report.score is not None
    assert report.model.runtime == Settings.from_env().runtime


def test_the_image_refuses(containers: Stack) -> None:
    version = containers.drop("calls/empty.wav", b"")
    record = ErrorRecord.model_validate(containers.wait_for_result("calls/empty.wav", version))
    assert record.error.type == "empty_file"


def test_the_image_answers_by_hand(containers: Stack, speech: np.ndarray) -> None:
    key = "calls/by hand.wav"
    version = containers.drop(key, wav_bytes(speech[:16_000]))
    containers.wait_for_result(key, version)
    answer = containers.invoke({"bucket": containers.incoming_bucket, "key": key})
    assert Report.model_validate(answer).source.version_id == version
