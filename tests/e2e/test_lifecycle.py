"""Update, rollback and deletion of a stack in LocalStack, as docs/operations.md describes them.

LocalStack's CloudFormation can't update an alias, so the new version is published with Lambda's own API. It
also deletes the buckets, which AWS would keep (docs/decisions/0011).
"""

import shlex
from collections.abc import Iterator

import numpy as np
import pytest

from aqscore.config import ScorerConfig
from infra.localstack.server import localstack
from infra.localstack.stack import STACK_NAME, Stack, client, deploy
from infra.waiting import wait_until
from tests.conftest import wav_bytes

DELETE_LIMIT_S = 60


@pytest.fixture(scope="module")
def stack(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with localstack(tmp_path_factory.mktemp("lifecycle-logs")) as address:
        yield deploy(address, runtime=ScorerConfig.from_env().runtime)


def version_in_use(stack: Stack) -> str:
    return stack.lambda_.get_alias(FunctionName=stack.function_name, Name="live")["FunctionVersion"]


def memory_in_use(stack: Stack) -> int:
    return stack.lambda_.get_function_configuration(
        FunctionName=stack.function_name, Qualifier=version_in_use(stack)
    )["MemorySize"]


def test_a_version_is_rolled_back_and_the_stack_deleted(stack: Stack, speech: np.ndarray) -> None:
    assert (version_in_use(stack), memory_in_use(stack)) == ("1", 1769)
    version = stack.upload("before.wav", wav_bytes(speech[:16_000]))
    stack.wait_for_result("before.wav", version)

    name = {"FunctionName": stack.function_name}
    stack.lambda_.update_function_configuration(**name, MemorySize=2048)
    stack.lambda_.get_waiter("function_updated_v2").wait(**name)
    newer = stack.lambda_.publish_version(**name)["Version"]
    stack.lambda_.update_alias(**name, Name="live", FunctionVersion=newer)
    assert (version_in_use(stack), memory_in_use(stack)) == ("2", 2048)
    version = stack.upload("after.wav", wav_bytes(speech[:16_000]))
    assert stack.wait_for_result("after.wav", version)

    roll_back = shlex.split(stack.outputs["RollBack"])
    given = dict(zip(roll_back[3::2], roll_back[4::2], strict=True))
    assert roll_back[:3] == ["aws", "lambda", "update-alias"]
    stack.lambda_.update_alias(
        FunctionName=given["--function-name"], Name=given["--name"], FunctionVersion="1"
    )
    assert (version_in_use(stack), memory_in_use(stack)) == ("1", 1769)
    version = stack.upload("rolled-back.wav", wav_bytes(speech[:16_000]))
    assert stack.wait_for_result("rolled-back.wav", version)

    cloudformation = client(stack.address, "cloudformation")
    stack_id = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName=STACK_NAME)
    wait_until(
        lambda: (
            cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]
            == "DELETE_COMPLETE"
        ),
        "the stack to be deleted",
        DELETE_LIMIT_S,
    )
    assert not stack.lambda_.list_functions()["Functions"]
    assert not stack.sqs.list_queues().get("QueueUrls")
