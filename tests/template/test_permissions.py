"""Permissions. LocalStack doesn't enforce policies, so only these tests can find a missing permission."""

import re
from collections.abc import Callable

import pytest

from aqscore.aws.recording_store import UPLOADS as UPLOADS_PREFIX
from infra.localstack.install import ROOT

INCOMING, RESULTS, BACKFILL = "IncomingBucket", "ResultsBucket", "BackfillBucket"
NAME = "${AWS::StackName}-incoming-${AWS::AccountId}-${AWS::Region}"
# The permission that S3 requires for each call of boto3, from "Actions, resources, and condition keys for
# Amazon S3" in AWS's Service Authorization Reference.
NEEDED = {
    "get_object": "s3:GetObject",
    "head_object": "s3:GetObject",
    "put_object": "s3:PutObject",
    "delete_object": "s3:DeleteObjectVersion",  # with VersionId, which the results bucket always has
}
RECORDINGS = f"{INCOMING}/${{IncomingPrefix}}*"
UPLOADS = f"{INCOMING}/${{IncomingPrefix}}uploads/*"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/k"
# Parameters that give the function's role more permissions -> these permissions.
EXTRAS = {
    ("KmsKeyArn", KEY): {("kms:Decrypt", "KmsKeyArn"), ("kms:GenerateDataKey", "KmsKeyArn")},
    ("Notification", "sns"): {("sns:Publish", "ResultsTopic")},
    ("Notification", "eventbridge"): {
        (
            "events:PutEvents",
            "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default",
        )
    },
    ("Tracing", "Active"): {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")},
    ("SubnetIds", "subnet-1"): {
        ("ec2:CreateNetworkInterface", "*"),
        ("ec2:DescribeNetworkInterfaces", "*"),
        ("ec2:DescribeSubnets", "*"),
        ("ec2:DeleteNetworkInterface", "*"),
        ("ec2:AssignPrivateIpAddresses", "*"),
        ("ec2:UnassignPrivateIpAddresses", "*"),
    },
}
# Signing makes no request. The upload itself needs the signing role's permission to put into the bucket.
SIGNING = {"generate_presigned_post"}


def listed(value: object) -> list:
    return value if isinstance(value, list) else [value]


def target(resource: dict | str) -> str:
    """A resource as its logical id, a bucket's objects as ``IncomingBucket/*``."""
    if isinstance(resource, str):
        return resource
    if "Ref" in resource:
        return resource["Ref"]
    if "Fn::Sub" in resource:
        text = resource["Fn::Sub"]
        if isinstance(text, list):
            text, variables = text
            bucket = variables[INCOMING]
            named = bucket.get("Ref", INCOMING)
            assert bucket in ({"Ref": "ExistingBucket"}, {"Fn::Sub": NAME})
            return text.replace("arn:${AWS::Partition}:s3:::${IncomingBucket}", named)
        return re.sub(r"\$\{(\w+)\.Arn\}", r"\1", text)
    name, attribute = resource["Fn::GetAtt"]
    assert attribute == "Arn"
    return name


def allowed(role: dict) -> set[tuple[str, str]]:
    """The permissions of a role: (action, target)."""
    statements = [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    return {
        (action, target(resource))
        for statement in statements
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


@pytest.fixture(scope="session")
def granted(deployed: Callable) -> set[tuple[str, str]]:
    """The permissions of the function's role by default."""
    return allowed(deployed()["FunctionRole"])


def on(granted: set[tuple[str, str]], bucket: str) -> set[tuple[str, str]]:
    """The permissions on a bucket and its objects."""
    return {
        (action, name)
        for action, name in granted
        if name in (bucket, f"{bucket}/*", RECORDINGS.replace(INCOMING, bucket))
    }


def test_the_role_has_no_wildcards(granted: set[tuple[str, str]]) -> None:
    assert not [action for action, _ in granted if "*" in action]
    names = {name for _, name in granted}
    # The only wildcards: the objects of one bucket of the stack.
    assert {name for name in names if "*" in name} == {RECORDINGS, UPLOADS, f"{RESULTS}/*"}


def test_the_role_has_no_managed_policies(template: dict) -> None:
    assert "ManagedPolicyArns" not in template["Resources"]["FunctionRole"]["Properties"]
    assert "Policies" not in template["Resources"]["Function"]["Properties"]


def test_the_role_allows_only_the_calls_of_the_function(granted: set[tuple[str, str]]) -> None:
    sources = (ROOT / "function" / "aqscore" / "aws").rglob("*.py")
    calls = {call for path in sources for call in re.findall(r"_s3\.(\w+)\(", path.read_text())} - SIGNING
    assert calls, "No module calls self._s3.<method>(...) any more: find the calls in another way"
    assert calls <= NEEDED.keys(), "add the permission of the new calls to NEEDED"
    needed = {(NEEDED[call], f"{RESULTS}/*") for call in calls}
    # Without ListBucket, S3 answers 403 for a missing key in place of 404.
    assert on(granted, RESULTS) == needed | {("s3:ListBucket", RESULTS)}


def test_recordings_can_be_written_only_under_uploads(granted: set[tuple[str, str]]) -> None:
    assert UPLOADS.endswith(f"}}{UPLOADS_PREFIX}*")
    writes = {(action, name) for action, name in granted if action == "s3:PutObject" and INCOMING in name}
    assert writes == {("s3:PutObject", UPLOADS)}


def test_other_recordings_can_only_be_read(granted: set[tuple[str, str]]) -> None:
    assert on(granted, INCOMING) == {
        ("s3:GetObject", RECORDINGS),
        ("s3:GetObjectVersion", RECORDINGS),
        ("s3:ListBucket", INCOMING),
    }


@pytest.mark.parametrize(("parameter", "extra"), EXTRAS.items(), ids=map("=".join, EXTRAS))
def test_a_parameter_adds_only_the_permissions_that_it_needs(
    parameter: tuple[str, str], extra: set, granted: set[tuple[str, str]], deployed: Callable
) -> None:
    assert allowed(deployed(**dict([parameter]))["FunctionRole"]) - granted == extra


def test_an_existing_bucket_replaces_the_new_one(granted: set[tuple[str, str]], deployed: Callable) -> None:
    there = deployed(ExistingBucket="calls")
    assert allowed(there["FunctionRole"]) == {
        (action, name.replace(INCOMING, "ExistingBucket")) for action, name in granted
    }
    assert not {INCOMING, "IncomingBucketPolicy"} & there.keys()
    [rule] = [each for each in there["QueuePolicy"]["PolicyDocument"]["Statement"] if "Rule" in each["Sid"]]
    assert rule["Principal"] == {"Service": "events.amazonaws.com"}
    assert rule["Condition"] == {
        "ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["ExistingBucketRule", "Arn"]}}
    }
    assert there["ExistingBucketRule"]["EventPattern"]["detail"] == {
        "bucket": {"name": [{"Ref": "ExistingBucket"}]}
    }


def test_only_objects_under_the_prefix_send_events(deployed: Callable) -> None:
    prefix = {"Ref": "IncomingPrefix"}
    for events in deployed()[INCOMING]["NotificationConfiguration"]["QueueConfigurations"]:
        assert "Filter" not in events
    below = deployed(IncomingPrefix="calls/")
    for events in below[INCOMING]["NotificationConfiguration"]["QueueConfigurations"]:
        assert events["Filter"] == {"S3Key": {"Rules": [{"Name": "prefix", "Value": prefix}]}}
    there = deployed(IncomingPrefix="calls/", ExistingBucket="calls")
    assert there["ExistingBucketRule"]["EventPattern"]["detail"]["object"] == {"key": [{"prefix": prefix}]}


def test_batch_operations_may_read_manifests_write_reports_and_call_the_function(deployed: Callable) -> None:
    assert "BackfillRole" not in deployed()
    role = deployed(Backfill="true")["BackfillRole"]
    assert allowed(role) == {
        ("s3:GetObject", f"{BACKFILL}/manifests/*"),
        ("s3:GetObjectVersion", f"{BACKFILL}/manifests/*"),
        ("s3:PutObject", f"{BACKFILL}/reports/*"),
        ("lambda:InvokeFunction", "Function:live"),
    }
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "batchoperations.s3.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_only_the_incoming_bucket_triggers_the_function(deployed: Callable) -> None:
    resources = deployed()
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
        ("BackfillBucketPolicy", "Bucket", BACKFILL),
    ],
)
def test_requests_without_tls_are_denied(deployed: Callable, policy: str, holder: str, name: str) -> None:
    resources = deployed(Backfill="true")
    assert listed(resources[policy][holder]) == [{"Ref": name}]
    [deny] = [each for each in resources[policy]["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
    assert deny["Principal"] == "*"
    assert deny["Action"] in ("s3:*", "sqs:*")
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    targets = {target(resource) for resource in listed(deny["Resource"])}
    assert targets == ({name, f"{name}/*"} if holder == "Bucket" else {name})


@pytest.mark.parametrize("key", ["", KEY], ids=["S3's keys", "a customer's key"])
def test_buckets_are_private_and_encrypted(template: dict, deployed: Callable, key: str) -> None:
    buckets = {name for name, each in template["Resources"].items() if each["Type"] == "AWS::S3::Bucket"}
    assert buckets == {INCOMING, RESULTS, BACKFILL}
    resources = deployed(Backfill="true", KmsKeyArn=key)
    for name in buckets:
        assert set(resources[name]["PublicAccessBlockConfiguration"].values()) == {True}
        [rule] = resources[name]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        encryption = rule["ServerSideEncryptionByDefault"]
        if key and name != BACKFILL:
            assert encryption == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "KmsKeyArn"}}
        else:
            assert encryption == {"SSEAlgorithm": "AES256"}
        assert resources[name]["VersioningConfiguration"] == {"Status": "Enabled"}
