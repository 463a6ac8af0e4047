"""Builds and deploys the stack: ``python -m infra.deploy --stack aqscore --auth API_KEY Formats=basic``.

Checks credentials, region and stack first, runs `sam build` and `sam deploy` with the same parameters, and
prints the next steps. AWS_ENDPOINT_URL points it at LocalStack.
"""

import argparse
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    InvalidRegionError,
)

from infra import prices
from infra.documents.parameters import parameters as template_parameters
from infra.localstack.install import ROOT, SAM, install_sam

SIGN_IN = "Sign in first: aws sso login, or aws configure; AWS_PROFILE=NAME selects a profile."
# sam build reads them: they select the image and its tag.
BUILD_PARAMETERS = ("Runtime", "Formats", "Release")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKET_NAME_LENGTH = 63
ACCOUNT_LENGTH = 12
NEVER_DEPLOYED = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")


def main(arguments: list[str] | None = None) -> int:
    """Returns 0 when the stack is deployed, 1 when build or deployment failed, 2 when a check failed."""
    options = _options(arguments)
    try:
        given = parameters_of(options.parameters, options.auth)
        session, account = signed_in_session()
        check_name(options.stack, session.region_name)
        cloudformation = session.client("cloudformation")
        stack = present_stack(cloudformation, options.stack)
        if not stack:
            check_results_bucket(session.client("s3"), options.stack, account)
        parameters = build_parameters(stack, given)
        sam = sam_command()
    except (BotoCoreError, ClientError, RuntimeError, ValueError) as error:
        print(f"Not deployed. {error}", file=sys.stderr)
        return 2
    texts = [f'{name}="{value}"' for name, value in parameters.items()]
    overrides = ["--parameter-overrides", *texts] if texts else []
    try:
        for step in (["build"], ["deploy", "--stack-name", options.stack, "--region", session.region_name]):
            if _run([sam, *step, *overrides]) != 0:
                print(f"sam {step[0]} failed, for the reason above.", file=sys.stderr)
                return 1
    except KeyboardInterrupt:
        print("Interrupted. What CloudFormation has begun goes on.", file=sys.stderr)
        return 1
    outputs = outputs_of(present_stack(cloudformation, options.stack))
    print(next_steps(options.stack, session.region_name, outputs))
    return 0


def parameters_of(given: list[str], auth: str | None) -> dict[str, str]:
    """The parameters in NAME=VALUE texts and ``auth``. Raises ValueError for a name not in the template."""
    known = list(template_parameters())
    parameters = {"Authentication": auth} if auth else {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]}=VALUE?" if near else f"Expected one of: {', '.join(known)}."
            raise ValueError(f"{text} sets no parameter of template.yaml. {hint}")
        if '"' in value or "\\" in value:
            raise ValueError(f"{text} has a quotation mark or a backslash, which no parameter allows.")
        parameters[name] = value
    return parameters


def signed_in_session() -> tuple[boto3.Session, str]:
    """A session with a region and accepted credentials, and the number of their account.

    Raises RuntimeError with what to do where one is missing.
    """
    try:
        # As in the AWS CLI: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html
        session = boto3.Session(region_name=os.environ.get("AWS_REGION"))
        if not session.region_name:
            raise RuntimeError("No AWS region is chosen. Choose one: export AWS_DEFAULT_REGION=eu-central-1")
        account = session.client("sts").get_caller_identity()["Account"]
    except (ConnectionError, HTTPClientError, InvalidRegionError) as error:
        raise RuntimeError(f"{error} Check the network, and the name of the region.") from None
    except ClientError as error:
        raise RuntimeError(f"AWS rejects the credentials: {error}. {SIGN_IN}") from None
    except BotoCoreError as error:
        raise RuntimeError(f"{str(error).rstrip('.')}. {SIGN_IN}") from None
    print(f"Account {account}, region {session.region_name}")
    return session, account


def check_name(stack: str, region: str) -> None:
    """Raises ValueError for a name of a stack that can't begin the names of its buckets."""
    longest = BUCKET_NAME_LENGTH - len(f"-incoming--{region}") - ACCOUNT_LENGTH
    if len(stack) > longest or not re.fullmatch(r"[a-z][a-z0-9-]*", stack):
        raise ValueError(
            f"{stack} can't name a stack, because the names of its buckets begin with it. Expected at most "
            f"{longest} lower-case letters, digits and hyphens, a letter first."
        )


def present_stack(cloudformation: BaseClient, name: str) -> dict[str, Any] | None:
    """The stack as CloudFormation describes it, None where there is none yet.

    Raises RuntimeError with what to do for a stack that can't be updated, or that is another application's.
    """
    try:
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    status = stack["StackStatus"]
    if status in NEVER_DEPLOYED:
        raise RuntimeError(
            f"The stack {name} is {status}: creating or deleting it failed, and CloudFormation can't update "
            f"it. The reasons: aws cloudformation describe-stack-events --stack-name {name}. "
            f"Delete it, then deploy again: aws cloudformation delete-stack --stack-name {name}"
        )
    if status == "UPDATE_ROLLBACK_FAILED":
        raise RuntimeError(
            f"The stack {name} is {status}. Remove the cause that describe-stack-events gives, then: "
            f"aws cloudformation continue-update-rollback --stack-name {name}"
        )
    if status == "REVIEW_IN_PROGRESS":  # has a change set and nothing else
        return None
    if status.endswith("_IN_PROGRESS"):
        raise RuntimeError(f"The stack {name} is {status}. Wait until that has ended, then deploy again.")
    if "IncomingBucketName" not in outputs_of(stack):
        raise RuntimeError(f"The stack {name} is another application's. Choose another name: STACK=NAME")
    return stack


def check_results_bucket(s3: BaseClient, stack: str, account: str) -> None:
    """Raises RuntimeError when an earlier stack of that name left its bucket, which would fail a new one."""
    bucket = f"{stack}-results-{account}-{s3.meta.region_name}"
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:  # 404: there is none
        return
    raise RuntimeError(
        f"The bucket {bucket} of an earlier stack exists, so CloudFormation can't create it. Choose another "
        "name, STACK=NAME, or delete that stack's buckets as docs/operations.md says."
    )


def build_parameters(stack: Mapping[str, Any] | None, given: Mapping[str, str]) -> dict[str, str]:
    """The parameters for build and deployment: the given ones, and the stack's own that select its image.

    `sam deploy` keeps the others of a stack by itself. A change of parameters gets a new Release, without
    which the alias would stay at the version with the old ones (docs/decisions/0060).
    """
    if not stack:
        return dict(given)
    present = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    kept = {name: present[name] for name in BUILD_PARAMETERS if name in present}
    release = {"Release": datetime.now(UTC).strftime("%Y%m%d-%H%M%S")} if given else {}
    return kept | release | dict(given)


def outputs_of(stack: Mapping[str, Any] | None) -> dict[str, str]:
    """The values of the stack's outputs by their names."""
    outputs = stack.get("Outputs", ()) if stack else ()
    return {each["OutputKey"]: each["OutputValue"] for each in outputs}


def sam_command() -> str:
    """The path of the SAM CLI: the shell's, or else the one in .tools, which is installed first if need be.

    Raises RuntimeError when that fails.
    """
    if path := shutil.which("sam"):
        return path
    try:
        install_sam()
    except subprocess.CalledProcessError:
        raise RuntimeError("The AWS SAM CLI could not be installed, for the reason above.") from None
    return str(SAM)


def usd_per_million(length_s: int) -> float:
    """US dollars for scoring a million recordings of this length: a row of benchmarks/RESULTS.md.

    Raises KeyError for a length that the benchmarks don't have.
    """
    cost = json.loads((ROOT / "benchmarks" / "results.json").read_text())["cost"][str(length_s)]
    return 1e6 * cost["all"] / cost["files"]


def price() -> str:
    """The sentence about the price of a million recordings."""
    short, long = usd_per_million(10), usd_per_million(600)
    return (
        f"A million recordings of 10 s cost about {short:.0f} USD, of 10 min {long:.0f} USD (default "
        f"MemorySize, list prices of us-east-1 of {prices.NOTED}, without storage, alarms and dashboard)."
    )


def how_to_open(stack: str, outputs: Mapping[str, str]) -> str:
    """The text that tells how a browser opens the page under the stack's Authentication."""
    if "PrintApiKey" in outputs:
        return f"It asks for the API key, which this prints:\n  {outputs['PrintApiKey']}"
    if "SigningProxy" in outputs:
        return (
            "It answers signed requests only. For a browser, start a proxy that signs with your\n"
            "credentials, then open http://127.0.0.1:8080/live/\n"
            '  eval "$(aws configure export-credentials --format env)"\n'
            f"  {outputs['SigningProxy']}\n"
            f"For an API key in place of signatures: make deploy STACK={stack} AUTH=API_KEY"
        )
    return f"It is open to everybody, at your expense. To close it: make deploy STACK={stack} AUTH=AWS_IAM"


def next_steps(stack: str, region: str, outputs: Mapping[str, str]) -> str:
    """The text that tells how to use the deployed stack."""
    return f"""
The stack {stack} is deployed in {region}.
Recordings go to   s3://{outputs["IncomingBucketName"]}
Results appear in  s3://{outputs["ResultsBucketName"]}

Upload an example, wait for its result and print it:
  {outputs["TryIt"]}

Page and HTTPS API: {outputs["ApiUrl"]}/
{how_to_open(stack, outputs)}
For yourself alone, the same page without the stack: .venv/bin/aqscore serve --open

Dashboard: {outputs["DashboardUrl"]}

{price()}

All outputs:
  aws cloudformation describe-stacks --stack-name {stack} --query "Stacks[0].Outputs" --output table"""


def _run(command: list[str]) -> int:
    """Runs a command of the SAM CLI beside samconfig.toml; returns its exit status."""
    return subprocess.run(
        command, cwd=ROOT, env={"SAM_CLI_TELEMETRY": "0", **os.environ}, check=False
    ).returncode


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.deploy", description="Builds and deploys the stack."
    )
    parser.add_argument("--stack", default="aqscore", help="name of the stack (aqscore)")
    parser.add_argument(
        "--auth",
        choices=["AWS_IAM", "API_KEY", "NONE"],
        help="who may call the API; without it, as before, and AWS_IAM in a new stack",
    )
    parser.add_argument(
        "parameters", nargs="*", metavar="NAME=VALUE", help="parameters of template.yaml (docs/deploy.md)"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
