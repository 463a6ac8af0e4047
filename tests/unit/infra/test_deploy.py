"""infra.deploy: the checks before a deployment, the parameters, and the text after it."""

import os
import re
import subprocess
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from infra import deploy
from tests.conftest import ROOT

OUTPUTS = {
    "IncomingBucketName": "calls-incoming-123456789012-eu-central-1",
    "ResultsBucketName": "calls-results-123456789012-eu-central-1",
    "TryIt": "aws s3 cp ...",
    "ApiUrl": "https://abc.execute-api.eu-central-1.amazonaws.com/live",
    "DashboardUrl": "https://eu-central-1.console.aws.amazon.com/cloudwatch/home",
}


@pytest.fixture
def cloudformation():
    return boto3.client(
        "cloudformation", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b"
    )


def described(status: str, outputs: dict[str, str], **parameters: str) -> dict:
    """CloudFormation's answer about one stack."""
    return {
        "StackName": "calls",
        "CreationTime": "2026-01-01T00:00:00Z",
        "StackStatus": status,
        "Parameters": [{"ParameterKey": name, "ParameterValue": each} for name, each in parameters.items()],
        "Outputs": [{"OutputKey": name, "OutputValue": each} for name, each in outputs.items()],
    }


def present(cloudformation, status: str, outputs: dict[str, str], **parameters: str) -> dict | None:
    """What present_stack returns for that answer."""
    with Stubber(cloudformation) as stubber:
        answer = described(status, outputs, **parameters)
        stubber.add_response("describe_stacks", {"Stacks": [answer]}, {"StackName": "calls"})
        return deploy.present_stack(cloudformation, "calls")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, r"No AWS region is chosen\. .*export AWS_DEFAULT_REGION="),
        ({"AWS_REGION": "eu-central-1"}, r"Unable to locate credentials\. Sign in first: aws sso login"),
        ({"AWS_DEFAULT_REGION": "eu-central-1", "AWS_PROFILE": "none"}, r"profile \(none\).* Sign in first"),
        (
            {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
            r"Could not connect to .* Check the network",
        ),
        ({"AWS_REGION": "eu central", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, "region"),
    ],
    ids=["no region", "no credentials", "no such profile", "no network", "a bad region"],
)
def test_a_missing_prerequisite_is_one_line(
    variables: dict[str, str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    unreachable = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    nothing = {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in (nothing | unreachable | variables).items():
        monkeypatch.setenv(name, value)
    assert deploy.main([]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert re.search(message, line) and line.startswith("Not deployed. ")


def test_rejected_credentials_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    sts = boto3.client("sts", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setattr(boto3.Session, "client", lambda self, service: sts)
    with Stubber(sts) as stubber:
        stubber.add_client_error("get_caller_identity", "ExpiredToken", "The security token is expired")
        with pytest.raises(RuntimeError, match=r"rejects the credentials: .*ExpiredToken.*Sign in first"):
            deploy.signed_in_session()


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "DELETE_FAILED"])
def test_a_stack_that_was_never_deployed_is_to_be_deleted(cloudformation, status: str) -> None:
    with pytest.raises(
        RuntimeError, match=rf"calls is {status}: .*delete-stack --stack-name calls$"
    ) as raised:
        present(cloudformation, status, {})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "outputs", "message"),
    [
        ("UPDATE_ROLLBACK_FAILED", OUTPUTS, "continue-update-rollback --stack-name calls"),
        ("UPDATE_IN_PROGRESS", OUTPUTS, "Wait until that has ended"),
        ("CREATE_COMPLETE", {"WebSite": "https://example.com"}, "another application's"),
    ],
)
def test_a_stack_that_cannot_be_updated_is_named(cloudformation, status, outputs, message) -> None:
    with pytest.raises(RuntimeError, match=message):
        present(cloudformation, status, outputs)


def test_a_stack_that_is_not_there_is_a_new_one(cloudformation) -> None:
    with Stubber(cloudformation) as stubber:
        stubber.add_client_error(
            "describe_stacks", "ValidationError", "Stack with id calls does not exist", http_status_code=400
        )
        assert deploy.present_stack(cloudformation, "calls") is None
    assert deploy.build_parameters(None, {"Formats": "basic"}) == {"Formats": "basic"}


def test_the_bucket_of_a_deleted_stack_is_named_before_anything_is_built() -> None:
    s3 = boto3.client("s3", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    bucket = {"Bucket": "calls-results-123456789012-eu-central-1"}
    with Stubber(s3) as stubber:
        stubber.add_response("head_bucket", {}, bucket)
        with pytest.raises(RuntimeError, match="calls-results-123456789012-eu-central-1 of an earlier stack"):
            deploy.check_results_bucket(s3, "calls", "123456789012")
        stubber.add_client_error("head_bucket", "404", "Not Found", 404, expected_params=bucket)
        deploy.check_results_bucket(s3, "calls", "123456789012")


def test_the_image_of_a_stack_is_built_with_the_stack_s_own_parameters(cloudformation) -> None:
    stack = present(
        cloudformation,
        "UPDATE_COMPLETE",
        OUTPUTS,
        Runtime="tensorflow",
        Formats="basic",
        Release="7",
        Track="2",
    )
    kept = {"Runtime": "tensorflow", "Formats": "basic", "Release": "7"}
    assert deploy.build_parameters(stack, {}) == kept
    changed = deploy.build_parameters(stack, {"Formats": "all", "MemorySize": "3008"})
    assert changed | {"Release": "7"} == kept | {"Formats": "all", "MemorySize": "3008"}
    assert changed["Release"] != "7", "a new version needs another text"
    assert deploy.build_parameters(stack, {"Release": "8"})["Release"] == "8"


def test_build_parameters_are_those_that_the_template_builds_the_image_with() -> None:
    template = (ROOT / "template.yaml").read_text()
    metadata = "".join(re.findall(r"^      Docker(?:Tag|BuildTarget|BuildArgs): .*$", template, flags=re.M))
    used = re.findall(r"!Ref (\w+)|\$\{(\w+)\}", metadata)
    assert {first or second for first, second in used} == set(deploy.BUILD_PARAMETERS)


def test_parameters_are_checked_before_anything_is_built() -> None:
    given = ["Formats=basic", "AlarmEmail=", "SubnetIds=a,b"]
    expected = {"Formats": "basic", "AlarmEmail": "", "SubnetIds": "a,b", "Authentication": "API_KEY"}
    assert deploy.parameters_of(given, "API_KEY") == expected
    for text, message in [
        ("Format=basic", "Did you mean Formats=VALUE"),
        ("Formats", "Did you mean Formats=VALUE"),
        ("Zebra=1", "Expected one of: Runtime, Formats"),
        ('Track="1"', "quotation mark"),
    ]:
        with pytest.raises(ValueError, match=message):
            deploy.parameters_of([text], None)


def test_make_passes_everything_on() -> None:
    command = ["make", "--no-print-directory", "--dry-run", "deploy"]
    given = ["STACK=calls", "AUTH=API_KEY", "PARAMETERS=Formats=basic Track=2"]
    done = subprocess.run([*command, *given], cwd=ROOT, capture_output=True, text=True, check=True)
    expected = ".venv/bin/python -m infra.deploy --stack calls --auth API_KEY Formats=basic Track=2"
    assert done.stdout.splitlines()[-1] == expected


@pytest.mark.parametrize("name", ["Calls", "our_calls", "7calls", "", "a" * 29])
def test_a_name_that_no_bucket_may_have_is_rejected(name: str) -> None:
    with pytest.raises(ValueError, match="at most 28 lower-case letters"):
        deploy.check_name(name, "eu-central-1")


def test_the_longest_name_fits_the_buckets() -> None:
    deploy.check_name("a" * 28, "eu-central-1")
    assert len(f"{'a' * 28}-incoming-123456789012-eu-central-1") == deploy.BUCKET_NAME_LENGTH


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({"PrintApiKey": "aws apigateway get-api-key"}, "  aws apigateway get-api-key"),
        ({"SigningProxy": "docker run proxy"}, "  docker run proxy"),
        ({}, "AUTH=AWS_IAM"),
    ],
    ids=["API_KEY", "AWS_IAM", "NONE"],
)
def test_the_next_steps_tell_how_to_open_the_page(output: dict[str, str], expected: str) -> None:
    text = deploy.next_steps("calls", "eu-central-1", OUTPUTS | output)
    assert expected in text
    assert all(value in text for value in OUTPUTS.values())


def test_the_price_is_that_of_the_benchmarks() -> None:
    [row] = re.findall(r"^\| 10 s \| 360,000 \|.*\*\*([\d.]+)\*\* \|$",
                       (ROOT / "benchmarks/RESULTS.md").read_text(), flags=re.M)  # fmt: skip
    assert deploy.usd_per_million(10) == pytest.approx(float(row) / 0.36, abs=0.02)
    assert f"10 s cost about {deploy.usd_per_million(10):.0f} USD" in deploy.price()
