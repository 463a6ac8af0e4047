"""`sam build` and `sam deploy` as in docs/deploy.md, into LocalStack, with the real image in containers.

Needs a container engine. There is no registry, so the image gets the name that it would have in ECR, and SAM
assumes that it has been pushed.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest

from aqscore.config import ScorerConfig
from aqscore.report import Report
from infra.localstack.install import LOCALSTACK_PYTHON, SAM
from infra.localstack.server import localstack
from infra.localstack.stack import STACK_NAME, Stack, client, deployed
from tests.conftest import wav_bytes

REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/aqscore"
TAG_IMAGE = "import docker, sys; docker.from_env().images.get(sys.argv[1]).tag(sys.argv[2], tag='live')"
DROP_TAG = "import docker, sys; docker.from_env().images.remove(sys.argv[1] + ':live')"


@pytest.fixture(scope="module")
def packaged(built: Path) -> Iterator[Path]:
    """The built template with the image's name in ECR."""
    text = built.read_text()
    image = re.search(r"ImageUri: (\S+)", text).group(1)
    subprocess.run([LOCALSTACK_PYTHON, "-c", TAG_IMAGE, image, REPOSITORY], check=True)
    path = built.with_name("packaged.yaml")
    path.write_text(text.replace(f"ImageUri: {image}", f"ImageUri: {REPOSITORY}:live"))
    yield path
    subprocess.run([LOCALSTACK_PYTHON, "-c", DROP_TAG, REPOSITORY], check=True)


@pytest.fixture(scope="module")
def stack(packaged: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with localstack(tmp_path_factory.mktemp("sam-deploy-logs"), "container") as address:
        client(address, "s3").create_bucket(
            Bucket="sam-uploads", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        done = subprocess.run(
            [SAM, "deploy", "--template-file", packaged, "--stack-name", STACK_NAME]
            + ["--capabilities", "CAPABILITY_IAM", "--s3-bucket", "sam-uploads"]
            + ["--image-repository", REPOSITORY, "--no-progressbar", "--region", "eu-central-1"]
            + ["--parameter-overrides", f"Runtime={ScorerConfig.from_env().runtime}", "Backfill=true"],
            cwd=packaged.parent,
            env=os.environ
            | {"AWS_ENDPOINT_URL": address, "NO_PROXY": "*", "SAM_CLI_TELEMETRY": "0"}
            | {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        stack = deployed(address)
        stack.start_function()
        yield stack


def test_an_uploaded_recording_is_scored(stack: Stack, speech: np.ndarray) -> None:
    version = stack.upload("calls/first.wav", wav_bytes(speech))
    report = Report.model_validate(stack.wait_for_result("calls/first.wav", version))
    assert report.score is not None


def test_a_posted_recording_is_scored(stack: Stack, speech: np.ndarray) -> None:
    answer = httpx2.post(
        f"{stack.api_url}/v1/scores?frames=false",
        content=wav_bytes(speech),
        headers={"Content-Type": "audio/wav"},
        timeout=120,
    )
    assert answer.status_code == 200, answer.text
    assert Report.model_validate(answer.json()).score is not None


def test_the_outputs_name_the_resources(stack: Stack) -> None:
    assert stack.outputs["FunctionAlias"].endswith(f":{stack.function_name}:live")
    assert stack.outputs["BackfillBucketName"].startswith(f"{STACK_NAME}-backfill-")
    assert stack.incoming_bucket in stack.outputs["TryIt"]
