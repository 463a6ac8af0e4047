"""The stack of template.yaml, deployed into LocalStack: its names, its clients, uploads and results."""

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ResponseStreamingError

from infra.localstack.install import ROOT
from infra.waiting import wait_until

TEMPLATE = ROOT / "template.yaml"
STACK_NAME = "aqscore"
TEMPLATES = "templates"  # the bucket of the template
DEPLOY_LIMIT_S = 120
RESULT_LIMIT_S = 60
# A placeholder for the image in process mode, where no image is pulled.
NO_IMAGE = "aqscore:process"


class Stack:
    """A deployed stack. ``address`` is LocalStack's, ``outputs`` are the template's."""

    def __init__(self, address: str, outputs: Mapping[str, str]) -> None:
        self.address = address
        self.outputs = outputs
        self.incoming_bucket = outputs["IncomingBucketName"]
        self.results_bucket = outputs["ResultsBucketName"]
        self.queue_url = outputs["QueueUrl"]
        self.dead_letter_queue_url = outputs["DeadLetterQueueUrl"]
        self.function_name = outputs["FunctionName"]
        # LocalStack serves the API under a path with its id, since a host name would need a name server.
        api_id = urlsplit(outputs["ApiUrl"]).netloc.partition(".")[0]
        self.api_url = f"{address}/restapis/{api_id}/live/_user_request_"

    @cached_property
    def s3(self) -> BaseClient:
        return client(self.address, "s3")

    @cached_property
    def sqs(self) -> BaseClient:
        return client(self.address, "sqs")

    @cached_property
    def lambda_(self) -> BaseClient:
        return client(self.address, "lambda")

    def invoke(self, event: dict) -> dict:
        """Invokes the function directly and returns its response. Raises RuntimeError when it fails."""
        answer = self.lambda_.invoke(FunctionName=self.function_name, Payload=json.dumps(event))
        payload = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise RuntimeError(f"The function failed: {payload['errorMessage']}")
        return payload

    def publish(self, variables: Mapping[str, str], **configuration: Any) -> str:
        """Publishes a version of the function with more variables; returns its number once it is active."""
        name = self.function_name
        given = self.lambda_.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        self.lambda_.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**given, **variables}}, **configuration
        )
        self.lambda_.get_waiter("function_updated_v2").wait(FunctionName=name)
        version = self.lambda_.publish_version(FunctionName=name)["Version"]
        self.lambda_.get_waiter("published_version_active").wait(FunctionName=name, Qualifier=version)
        return version

    def start_function(self) -> None:
        """Makes the function load its model: sends S3's test event. Raises RuntimeError as invoke does."""
        self.invoke({"Event": "s3:TestEvent"})

    def upload(self, key: str, body: bytes, **options: str) -> str:
        """Uploads a recording to the incoming bucket; returns its version id. The options are PutObject's."""
        return self.s3.put_object(Bucket=self.incoming_bucket, Key=key, Body=body, **options)["VersionId"]

    def result(self, key: str, version_id: str | None) -> dict | None:
        """The stored result for one version of a recording, a report or an error record, or None."""
        for result_key in (f"{key}.json", f"{key}.error.json"):
            document = self.read_result(result_key)
            if document and document["source"]["version_id"] == version_id:
                return document
        return None

    def read_result(self, result_key: str) -> dict | None:
        """The JSON under this key of the results bucket, or None."""
        try:
            answer = self.s3.get_object(Bucket=self.results_bucket, Key=result_key)
        except self.s3.exceptions.NoSuchKey:
            return None
        try:
            return json.load(answer["Body"])
        except ResponseStreamingError:  # LocalStack breaks off when the object is replaced or removed
            return self.read_result(result_key)

    def wait_for_result(self, key: str, version_id: str | None) -> dict:
        """Waits for the result for one version of a recording. Raises TimeoutError after RESULT_LIMIT_S."""
        return wait_until(lambda: self.result(key, version_id), f"the result of {key}", RESULT_LIMIT_S)


def deploy(address: str, image: str = NO_IMAGE, runtime: str = "onnx", **parameters: str) -> Stack:
    """Deploys template.yaml into LocalStack at this address.

    ``runtime`` is the parameter Runtime; other parameters have their own names. Raises RuntimeError with the
    reasons of CloudFormation when the stack can't be created.
    """
    cloudformation, s3 = client(address, "cloudformation"), client(address, "s3")
    # CloudFormation takes larger templates than 51,200 bytes from S3 only, which `sam deploy` uses too.
    s3.create_bucket(Bucket=TEMPLATES, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    s3.put_object(Bucket=TEMPLATES, Key=TEMPLATE.name, Body=with_image(TEMPLATE.read_text(), image).encode())
    cloudformation.create_stack(
        StackName=STACK_NAME,
        TemplateURL=f"{address}/{TEMPLATES}/{TEMPLATE.name}",
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in {"Runtime": runtime, **parameters}.items()
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )

    def finished() -> dict | None:
        stack = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    description = wait_until(finished, "CloudFormation to create the stack", DEPLOY_LIMIT_S)
    if description["StackStatus"] != "CREATE_COMPLETE":
        events = cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
        reasons = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
            for event in reversed(events)
            if event["ResourceStatus"].endswith("FAILED")
        ]
        whole = description.get("StackStatusReason", "")
        raise RuntimeError(f"The stack is {description['StackStatus']}. {whole} " + "; ".join(reasons))
    return deployed(address)


def deployed(address: str) -> Stack:
    """The stack that is already deployed at this address."""
    [description] = client(address, "cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
    return Stack(address, {each["OutputKey"]: each["OutputValue"] for each in description["Outputs"]})


def with_image(template: str, image: str) -> str:
    """The template's text with the function's image, which `sam deploy` would fill in."""
    return with_line(template, "PackageType: Image", f"ImageUri: {image}")


def with_line(template: str, after: str, line: str) -> str:
    """The template's text with ``line`` after the one line that is ``after``, with the same indentation.

    Raises RuntimeError unless there is exactly one such line.
    """
    text, places = re.subn(rf"^( +){re.escape(after)}$", rf"\g<0>\n\g<1>{line}", template, flags=re.M)
    if places != 1:
        raise RuntimeError(f"Expected one line '{after}' in the template, found {places}.")
    return text


def client(address: str, service: str) -> BaseClient:
    """A client of LocalStack, without retries, which would hide errors, and without a proxy."""
    return boto3.client(
        service,
        endpoint_url=address,
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )
