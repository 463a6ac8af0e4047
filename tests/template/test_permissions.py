"""Who may do what. LocalStack doesn't enforce policies, so only these tests can find a missing permission."""

import re
from collections.abc import Iterator

import pytest

from infra.localstack.install import ROOT

INCOMING, RESULTS = "IncomingBucket", "ResultsBucket"
# What S3 asks for each call of boto3: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
NEEDED = {
    "get_object": "s3:GetObject",
    "head_object": "s3:GetObject",
    "put_object": "s3:PutObject",
    "delete_object": "s3:DeleteObject",
}


def listed(value: object) -> list:
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="session")
def statements(resources: dict) -> list[dict]:
    """What the function's role allows."""
    policies = resources["FunctionRole"]["Policies"]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


@pytest.fixture(scope="session")
def granted(statements: list[dict]) -> set[tuple[str, str]]:
    """(action, logical id of the resource)."""
    return set(_grants(statements))


def _grants(statements: list[dict]) -> Iterator[tuple[str, str]]:
    for statement in statements:
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                yield action, re.match(r"(?:\$\{)?(\w+)", "".join(_target(resource))).group(1)


def _target(resource: dict | str) -> list[str] | str:
    return resource if isinstance(resource, str) else resource.get("Fn::Sub") or resource["Fn::GetAtt"]


def test_the_role_has_no_wildcards(statements: list[dict]) -> None:
    for statement in statements:
        assert statement["Effect"] == "Allow"
        assert not [action for action in listed(statement["Action"]) if "*" in action]
        for resource in listed(statement["Resource"]):
            # The one star there may be: all objects of one bucket of the stack.
            text = re.sub(r"^\$\{(Incoming|Results)Bucket\.Arn\}/\*$", "", "".join(_target(resource)))
            assert "*" not in text, statement["Sid"]


def test_the_role_has_no_ready_made_policies(template: dict) -> None:
    assert "ManagedPolicyArns" not in template["Resources"]["FunctionRole"]["Properties"]
    assert "Policies" not in template["Resources"]["Function"]["Properties"]


def test_the_role_allows_what_the_function_calls_and_no_more(granted: set[tuple[str, str]]) -> None:
    calls = set(re.findall(r"_s3\.(\w+)\(", (ROOT / "function" / "storage.py").read_text()))
    assert calls, "storage.py no longer calls self._s3.<method>(...): read its calls some other way"
    assert calls <= NEEDED.keys(), "say in NEEDED what S3 asks for the new calls"
    on_results = {action for action, resource in granted if resource == RESULTS}
    assert on_results == {NEEDED[call] for call in calls} | {"s3:ListBucket"}


def test_recordings_can_only_be_read(granted: set[tuple[str, str]]) -> None:
    on_incoming = {action for action, resource in granted if resource == INCOMING}
    assert on_incoming == {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"}


def test_only_the_incoming_bucket_triggers_the_function(template: dict, resources: dict) -> None:
    with_notifications = {name for name, each in resources.items() if "NotificationConfiguration" in each}
    assert with_notifications == {INCOMING}
    assert [event["Type"] for event in resources["Function"]["Events"].values()] == ["SQS"]
    [send] = [
        statement
        for statement in resources["QueuePolicy"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    sender = send["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::Sub"]
    assert sender.endswith(":" + resources[INCOMING]["BucketName"]["Fn::Sub"])
    assert resources[INCOMING]["BucketName"] != resources[RESULTS]["BucketName"]


@pytest.mark.parametrize(
    ("policy", "holder", "name"),
    [
        ("IncomingBucketPolicy", "Bucket", INCOMING),
        ("ResultsBucketPolicy", "Bucket", RESULTS),
        ("QueuePolicy", "Queues", "Queue"),
        ("DeadLetterQueuePolicy", "Queues", "DeadLetterQueue"),
    ],
)
def test_nothing_travels_without_tls(resources: dict, policy: str, holder: str, name: str) -> None:
    assert listed(resources[policy][holder]) == [{"Ref": name}]
    [deny] = [each for each in resources[policy]["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
    assert deny["Principal"] == "*"
    assert deny["Action"] in ("s3:*", "sqs:*")
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    targets = ["".join(_target(resource)) for resource in listed(deny["Resource"])]
    assert targets == ([f"{name}Arn", f"${{{name}.Arn}}/*"] if holder == "Bucket" else [f"{name}Arn"])


def test_buckets_are_private_and_encrypted(template: dict, resources: dict) -> None:
    buckets = [name for name, each in template["Resources"].items() if each["Type"] == "AWS::S3::Bucket"]
    assert set(buckets) == {INCOMING, RESULTS}
    for name in buckets:
        assert set(resources[name]["PublicAccessBlockConfiguration"].values()) == {True}
        assert resources[name]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert resources[name]["VersioningConfiguration"] == {"Status": "Enabled"}
