"""The image that `sam build` makes, in containers with Lambda's limits: its memory, and only /tmp writable.

Needs a container engine. AQSCORE_RUNTIME selects the image.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aqscore.config import ScorerConfig
from aqscore.report import ErrorRecord, Report
from infra.image.base import base_image
from infra.localstack.install import LOCALSTACK_PYTHON
from infra.localstack.server import localstack
from infra.localstack.stack import Stack, deploy
from tests.conftest import wav_bytes
from tests.recordings import by_ffmpeg

MAX_MB = {"onnx": 350, "tensorflow": 1_300}
RUNTIME = ScorerConfig.from_env().runtime


@pytest.fixture(scope="module")
def image(built: Path) -> str:
    """The name of the image."""
    return re.search(r"ImageUri: (\S+)", built.read_text()).group(1)


@pytest.fixture(scope="module")
def containers(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack with the function in containers."""
    with localstack(tmp_path_factory.mktemp("container-logs"), "container") as address:
        stack = deploy(address, image, RUNTIME)
        stack.start_function()
        yield stack


def test_the_image_is_small(image: str) -> None:
    """The size beyond the base image: a cold start loads it."""
    code = "import docker, sys; print(*(docker.from_env().images.get(n).attrs['Size'] for n in sys.argv[1:]))"
    sizes = subprocess.run(
        [LOCALSTACK_PYTHON, "-c", code, image, base_image()], capture_output=True, text=True, check=True
    )
    whole, base_alone = map(int, sizes.stdout.split())
    assert (whole - base_alone) / 1e6 < MAX_MB[RUNTIME]


def test_the_image_scores(containers: Stack, speech: np.ndarray) -> None:
    key = "calls/in a container.wav"
    version = containers.upload(key, wav_bytes(speech))
    report = Report.model_validate(containers.wait_for_result(key, version))
    assert report.score is not None
    assert report.model.runtime == RUNTIME


def test_the_image_decodes_the_format_of_phones(containers: Stack, speech: np.ndarray) -> None:
    version = containers.upload("calls/memo.m4a", by_ffmpeg(speech, "ipod", "aac"))
    report = Report.model_validate(containers.wait_for_result("calls/memo.m4a", version))
    assert report.media.codec == "AAC"
    assert report.score is not None


def test_the_image_writes_error_records(containers: Stack) -> None:
    version = containers.upload("calls/empty.wav", b"")
    record = ErrorRecord.model_validate(containers.wait_for_result("calls/empty.wav", version))
    assert record.error.type == "empty_file"


def test_the_image_answers_a_direct_call(containers: Stack, speech: np.ndarray) -> None:
    key = "calls/by hand.wav"
    version = containers.upload(key, wav_bytes(speech[:16_000]))
    containers.wait_for_result(key, version)
    answer = containers.invoke({"bucket": containers.incoming_bucket, "key": key})
    assert Report.model_validate(answer).source.version_id == version
