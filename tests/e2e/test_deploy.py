"""`python -m infra.deploy` into LocalStack: the real `sam deploy`, and the commands that it prints.

There is no container engine here: `sam build` only records its arguments, and the function runs as a process.
test_sam_deploy.py builds and runs the image.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from botocore.exceptions import WaiterError

from infra.localstack.install import LOCALSTACK_PYTHON, ROOT, SAM
from infra.localstack.server import localstack
from infra.localstack.stack import Stack, client, deployed, with_image
from tests.e2e.test_sam_deploy import REPOSITORY

AWS = LOCALSTACK_PYTHON.with_name("aws")
REGION = "eu-central-1"
# SAM takes an image with a name in ECR as pushed.
STAND_IN = """\
#!/bin/sh
echo "$@" >> {arguments}
test "$1" = build || exec {sam} "$@" --template-file {template} --s3-bucket sam-uploads \\
    --image-repository {repository} --capabilities CAPABILITY_IAM --no-progressbar
"""
BROKEN = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "Not_a_name"}}}}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the arguments of each call of `sam`."""
    return tmp_path_factory.mktemp("sam") / "arguments"


@pytest.fixture(scope="module")
def address(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not SAM.exists():
        pytest.skip("the SAM CLI is not installed: python -m infra.localstack.install sam")
    with localstack(tmp_path_factory.mktemp("deploy-logs")) as address:
        client(address, "s3").create_bucket(
            Bucket="sam-uploads", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield address


@pytest.fixture(scope="module")
def shell(address: str, arguments: Path) -> Run:
    """Runs a command in a shell with credentials, a region, `sam` and `aws`."""
    folder = arguments.parent
    template = folder / "packaged.yaml"
    # LocalStack can't give a stage another deployment of its API.
    text = (ROOT / "template.yaml").read_text().replace("AlwaysDeploy: true", "AlwaysDeploy: false")
    template.write_text(with_image(text, f"{REPOSITORY}:live"))
    stand_in = folder / "sam"
    stand_in.write_text(
        STAND_IN.format(arguments=arguments, sam=SAM, template=template, repository=REPOSITORY)
    )
    stand_in.chmod(0o755)
    (folder / "aws").symlink_to(AWS)

    def shell(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", command],
            cwd=ROOT,
            env=os.environ
            | {"PATH": f"{folder}:{os.environ['PATH']}", "AWS_ENDPOINT_URL": address, "NO_PROXY": "*"}
            | {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}
            | {"AWS_DEFAULT_REGION": REGION},
            capture_output=True,
            text=True,
        )

    return shell


@pytest.fixture(scope="module")
def first(shell: Run) -> subprocess.CompletedProcess[str]:
    """The first deployment, with an API key."""
    return shell(f"{sys.executable} -m infra.deploy --auth API_KEY Formats=basic")


@pytest.fixture(scope="module")
def stack(address: str, first: subprocess.CompletedProcess[str]) -> Stack:
    assert first.returncode == 0, first.stdout + first.stderr
    stack = deployed(address)
    stack.start_function()
    return stack


def printed(done: subprocess.CompletedProcess[str], text: str) -> str:
    """The last printed line with this text; `sam deploy` prints the outputs as well."""
    return [line.strip() for line in done.stdout.splitlines() if text in line][-1]


def test_build_and_deployment_get_the_same_parameters(stack: Stack, arguments: Path) -> None:
    build, deployment = arguments.read_text().splitlines()[:2]
    parameters = '--parameter-overrides Authentication="API_KEY" Formats="basic"'
    assert build == f"build {parameters}"
    assert deployment == f"deploy --stack-name aqscore --region {REGION} {parameters}"


def test_the_printed_command_scores_a_recording(
    stack: Stack, first: subprocess.CompletedProcess[str], shell: Run
) -> None:
    done = shell(printed(first, "examples/noisy.flac"))
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])  # after the progress of the upload
    assert result["source"]["key"] == "noisy.flac"


def test_the_printed_command_gives_the_key_of_the_api(
    stack: Stack, first: subprocess.CompletedProcess[str], shell: Run
) -> None:
    done = shell(printed(first, "get-api-key"))
    assert done.returncode == 0, done.stderr
    url = f"{stack.api_url}/v1/model"
    assert httpx2.get(url, timeout=60).status_code == 403
    assert httpx2.get(url, headers={"x-api-key": done.stdout.strip()}, timeout=60).status_code == 200


def test_a_later_deployment_keeps_the_parameters_that_are_not_given(
    stack: Stack, address: str, shell: Run, arguments: Path
) -> None:
    done = shell(f"{sys.executable} -m infra.deploy MemorySize=2048")
    assert done.returncode == 0, done.stdout + done.stderr
    [description] = client(address, "cloudformation").describe_stacks(StackName="aqscore")["Stacks"]
    now = {each["ParameterKey"]: each["ParameterValue"] for each in description["Parameters"]}
    assert (now["Authentication"], now["Formats"], now["MemorySize"]) == ("API_KEY", "basic", "2048")
    assert 'Formats="basic"' in arguments.read_text().splitlines()[-2], "the image is built as before"


def test_a_stack_that_could_not_be_created_is_reported_in_one_line(address: str, shell: Run) -> None:
    cloudformation = client(address, "cloudformation")
    cloudformation.create_stack(StackName="broken", TemplateBody=json.dumps(BROKEN))
    with pytest.raises(WaiterError, match="terminal failure"):
        cloudformation.get_waiter("stack_create_complete").wait(StackName="broken", WaiterConfig={"Delay": 1})
    done = shell(f"{sys.executable} -m infra.deploy --stack broken")
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "delete-stack --stack-name broken" in line
