"""The function's role as CloudFormation created it, evaluated by moto.

LocalStack's community edition allows every request: it ignores ENFORCE_IAM.
"""

import json
import subprocess

import pytest

from infra.localstack.install import LOCALSTACK_PYTHON
from infra.localstack.stack import Stack, client

EVALUATE = """
import json, sys
from moto.iam.access_control import IAMPolicy, PermissionResult
documents, questions = json.load(sys.stdin)
policies = [IAMPolicy({"policy_document": json.dumps(each)}) for each in documents]
answers = []
for question in questions:
    verdicts = [policy.is_action_permitted(*question) for policy in policies]
    answers.append(PermissionResult.PERMITTED in verdicts and PermissionResult.DENIED not in verdicts)
json.dump(answers, sys.stdout)
"""
ELSEWHERE = "arn:aws:s3:::somebody-elses-bucket"
# (action, resource), with placeholders for the stack's names.
ALLOWED = [
    ("s3:GetObject", "{incoming}/calls/a.wav"),
    ("s3:GetObjectVersion", "{incoming}/calls/a.wav"),
    ("s3:PutObject", "{incoming}/uploads/0123"),
    ("s3:PutObject", "{results}/calls/a.wav.json"),
    ("s3:GetObject", "{results}/calls/a.wav.json"),
    ("s3:DeleteObjectVersion", "{results}/calls/a.wav.error.json"),
    ("s3:ListBucket", "{incoming}"),
    ("sqs:ReceiveMessage", "{queue}"),
    ("sqs:DeleteMessage", "{queue}"),
]
FORBIDDEN = [
    ("s3:GetObject", f"{ELSEWHERE}/a.wav"),
    ("s3:GetObject", "{incoming}-of-another-stack/a.wav"),
    ("s3:ListBucket", ELSEWHERE),
    ("s3:ListAllMyBuckets", "*"),
    ("s3:PutObject", "{incoming}/calls/a.wav"),
    ("s3:PutObject", "{incoming}/uploads-elsewhere"),
    ("s3:DeleteObject", "{incoming}/calls/a.wav"),
    ("s3:DeleteObjectVersion", "{incoming}/calls/a.wav"),
    ("s3:DeleteObject", "{results}/calls/a.wav.json"),
    ("s3:PutObject", f"{ELSEWHERE}/a.json"),
    ("s3:PutBucketPolicy", "{results}"),
    ("sqs:SendMessage", "{queue}"),
    ("sqs:ReceiveMessage", "{dead_letters}"),
    ("sqs:PurgeQueue", "{queue}"),
    ("logs:PutLogEvents", "arn:aws:logs:eu-central-1:000000000000:log-group:/aws/lambda/another:*"),
    ("lambda:InvokeFunction", "*"),
    ("iam:PassRole", "*"),
    ("sts:AssumeRole", "*"),
]


@pytest.fixture(scope="module")
def policies(stack: Stack) -> list[dict]:
    """The role's policy documents with all names resolved."""
    iam = client(stack.address, "iam")
    configuration = stack.lambda_.get_function_configuration(FunctionName=stack.function_name)
    role = configuration["Role"].rpartition("/")[2]
    assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    assert names
    return [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]


@pytest.fixture(scope="module")
def names(stack: Stack) -> dict[str, str]:
    def queue_arn(url: str) -> str:
        answer = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return answer["Attributes"]["QueueArn"]

    return {
        "incoming": f"arn:aws:s3:::{stack.incoming_bucket}",
        "results": f"arn:aws:s3:::{stack.results_bucket}",
        "queue": queue_arn(stack.queue_url),
        "dead_letters": queue_arn(stack.dead_letter_queue_url),
    }


@pytest.fixture(scope="module")
def allowed(policies: list[dict], names: dict[str, str]) -> dict[tuple[str, str], bool]:
    """(action, resource) -> whether the policies allow it."""
    asked = [*ALLOWED, *FORBIDDEN]
    questions = [(action, resource.format(**names)) for action, resource in asked]
    done = subprocess.run(
        [LOCALSTACK_PYTHON, "-c", EVALUATE],
        input=json.dumps([policies, questions]),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(asked, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("question", ALLOWED, ids=" ".join)
def test_needed_requests_are_allowed(allowed: dict, question: tuple[str, str]) -> None:
    assert allowed[question]


@pytest.mark.parametrize("question", FORBIDDEN, ids=" ".join)
def test_other_requests_are_denied(allowed: dict, question: tuple[str, str]) -> None:
    assert not allowed[question]
