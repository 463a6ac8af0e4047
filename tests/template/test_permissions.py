"""Who may do what. LocalStack doesn't enforce policies, so only these tests can find a missing permission."""

import re

import pytest

from function import api
from infra.localstack.install import ROOT

INCOMING, RESULTS = "IncomingBucket", "ResultsBucket"
# What S3 asks for each call of boto3, see "Actions, resources, and condition keys for Amazon S3" in AWS's
# Service Authorization Reference.
NEEDED = {
    "get_object": "s3:GetObject",
    "head_object": "s3:GetObject",
    "put_object": "s3:PutObject",
    "delete_object": "s3:DeleteObjectVersion",  # with VersionId, which the results bucket always has
}
UPLOADS = f"{INCOMING}/uploads/*"
# Signing calls nobody. The upload itself needs the signing role's right to put into the incoming bucket.
SIGNING = {"generate_presigned_post"}


def listed(value: object) -> list:
    return value if isinstance(value, list) else [value]


def target(resource: dict | str) -> str:
    """A bucket or queue as its logical id, a bucket's objects as ``IncomingBucket/*``."""
    if isinstance(resource, str):
        return resource
    if "Fn::Sub" in resource:
        return re.sub(r"\$\{(\w+)\.Arn\}", r"\1", resource["Fn::Sub"])
    name, attribute = resource["Fn::GetAtt"]
    assert attribute == "Arn"
    return name


@pytest.fixture(scope="session")
def granted(resources: dict) -> set[tuple[str, str]]:
    """What the function's role allows: (action, target)."""
    [policy] = resources["FunctionRole"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    return {
        (action, target(resource))
        for statement in statements
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def on(granted: set[tuple[str, str]], bucket: str) -> set[tuple[str, str]]:
    """What is granted on a bucket and its objects."""
    return {(action, name) for action, name in granted if name.removesuffix("/*") == bucket}


def test_the_role_has_no_wildcards(granted: set[tuple[str, str]]) -> None:
    assert not [action for action, _ in granted if "*" in action]
    names = {name for _, name in granted}
    # The one kind of star there may be: all objects of one bucket of the stack.
    assert {name for name in names if "*" in name} == {f"{INCOMING}/*", UPLOADS, f"{RESULTS}/*"}


def test_the_role_has_no_ready_made_policies(template: dict) -> None:
    assert "ManagedPolicyArns" not in template["Resources"]["FunctionRole"]["Properties"]
    assert "Policies" not in template["Resources"]["Function"]["Properties"]


def test_the_role_allows_what_the_function_calls_and_no_more(granted: set[tuple[str, str]]) -> None:
    calls = set(re.findall(r"_s3\.(\w+)\(", (ROOT / "function" / "storage.py").read_text())) - SIGNING
    assert calls, "storage.py no longer calls self._s3.<method>(...): read its calls some other way"
    assert calls <= NEEDED.keys(), "say in NEEDED what S3 asks for the new calls"
    needed = {(NEEDED[call], f"{RESULTS}/*") for call in calls}
    # Without ListBucket, S3 answers 403 for a missing key in place of 404.
    assert on(granted, RESULTS) == needed | {("s3:ListBucket", RESULTS)}


def test_recordings_can_be_written_only_where_uploads_go(granted: set[tuple[str, str]]) -> None:
    assert f"{INCOMING}/{api.UPLOADS}*" == UPLOADS
    writes = {(action, name) for action, name in granted if action == "s3:PutObject" and INCOMING in name}
    assert writes == {("s3:PutObject", UPLOADS)}


def test_recordings_can_otherwise_only_be_read(granted: set[tuple[str, str]]) -> None:
    assert on(granted, INCOMING) == {
        ("s3:GetObject", f"{INCOMING}/*"),
        ("s3:GetObjectVersion", f"{INCOMING}/*"),
        ("s3:ListBucket", INCOMING),
    }


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
    targets = {target(resource) for resource in listed(deny["Resource"])}
    assert targets == ({name, f"{name}/*"} if holder == "Bucket" else {name})


def test_buckets_are_private_and_encrypted(template: dict, resources: dict) -> None:
    buckets = [name for name, each in template["Resources"].items() if each["Type"] == "AWS::S3::Bucket"]
    assert set(buckets) == {INCOMING, RESULTS}
    for name in buckets:
        assert set(resources[name]["PublicAccessBlockConfiguration"].values()) == {True}
        assert resources[name]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert resources[name]["VersioningConfiguration"] == {"Status": "Enabled"}
