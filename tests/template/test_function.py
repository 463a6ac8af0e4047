"""Template, image and code are consistent."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from aqscore.aws.settings import Settings
from aqscore.config import RUNTIMES, ScorerConfig
from infra.localstack.install import ROOT

VISIBILITY_FACTOR = 6  # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html


def pins(file: str) -> dict[str, str]:
    """Package -> version, from a list that `make lock` wrote."""
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / file).read_text(), flags=re.M))


def requested(file: str) -> dict[str, str]:
    """Package -> version, from a hand-written list and the lists that it includes."""
    text = (ROOT / file).read_text()
    found = dict(re.findall(r"^([\w.-]+)==([^\s#]+)", text, flags=re.M))
    for included in re.findall(r"^-r (\S+)", text, flags=re.M):
        found |= requested(str(Path(file).parent / included))
    return found


@pytest.fixture(scope="module")
def dockerfile() -> dict[str, str]:
    """Stage -> its instructions."""
    text = (ROOT / "function" / "Dockerfile").read_text()
    stages = re.split(r"^FROM \S+ AS (\w[\w-]*)\n", text, flags=re.M)
    return dict(zip(stages[1::2], stages[2::2], strict=True))


def test_the_visibility_timeout_is_six_times_the_timeout(template: dict, resources: dict) -> None:
    assert resources["Function"]["Timeout"] == {"Ref": "Timeout"}
    [mapping, key, entry] = resources["Queue"]["VisibilityTimeout"]["Fn::FindInMap"]
    assert key == {"Ref": "Timeout"}
    hidden = {int(timeout): each[entry] for timeout, each in template["Mappings"][mapping].items()}
    assert set(hidden) == {int(each) for each in template["Parameters"]["Timeout"]["AllowedValues"]}
    for timeout, seconds in hidden.items():
        assert seconds >= VISIBILITY_FACTOR * timeout


def test_only_failed_messages_are_retried_and_kept(resources: dict) -> None:
    [event] = resources["Function"]["Events"].values()
    assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    redrive = resources["Queue"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    assert redrive["maxReceiveCount"] >= 5


def test_the_function_knows_which_delivery_is_the_last(resources: dict) -> None:
    variables = resources["Function"]["Environment"]["Variables"]
    assert int(variables["AQSCORE_MAX_DELIVERIES"]) == resources["Queue"]["RedrivePolicy"]["maxReceiveCount"]


def test_a_recording_shares_its_call_with_no_other(resources: dict) -> None:
    """One that takes the whole time of a call would cost each of the others a delivery."""
    [event] = resources["Function"]["Events"].values()
    assert event["Properties"]["BatchSize"] == 1


def test_restored_objects_reach_the_queue(resources: dict, deployed: Callable) -> None:
    sent = resources["IncomingBucket"]["NotificationConfiguration"]["QueueConfigurations"]
    assert [each["Event"] for each in sent] == ["s3:ObjectCreated:*", "s3:ObjectRestore:Completed"]
    assert sent[0]["Filter"] == sent[1]["Filter"]
    rule = deployed(ExistingBucket="calls-of-ours")["ExistingBucketRule"]
    assert rule["EventPattern"]["detail-type"] == ["Object Created", "Object Restore Completed"]


def test_the_queue_takes_events_of_a_topic_only_if_it_is_named(deployed: Callable) -> None:
    topic = "arn:aws:sns:eu-central-1:123456789012:uploads"
    parts = deployed(ExistingBucket="calls-of-ours", EventTopicArn=topic)
    assert parts["EventTopicSubscription"]["TopicArn"] == {"Ref": "EventTopicArn"}
    assert parts["EventTopicSubscription"]["Endpoint"] == {"Fn::GetAtt": ["Queue", "Arn"]}
    [allow] = (each for each in statements(parts) if each["Sid"] == "AllowEventTopic")
    assert allow["Principal"] == {"Service": "sns.amazonaws.com"}
    assert allow["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "EventTopicArn"}}}
    assert "EventTopicSubscription" not in deployed()
    assert not any(each["Sid"] == "AllowEventTopic" for each in statements(deployed()))


def statements(parts: dict[str, dict]) -> list[dict]:
    """Those of the queue's policy."""
    return parts["QueuePolicy"]["PolicyDocument"]["Statement"]


def test_events_that_cannot_be_delivered_are_kept(deployed: Callable) -> None:
    parts = deployed(ExistingBucket="calls-of-ours")
    [target] = parts["ExistingBucketRule"]["Targets"]
    kept = {"Fn::GetAtt": ["UndeliveredEvents", "Arn"]}
    assert target["DeadLetterConfig"] == {"Arn": kept}
    assert parts["UndeliveredEvents"]["MessageRetentionPeriod"] == 14 * 86_400
    allow, deny = parts["UndeliveredEventsPolicy"]["PolicyDocument"]["Statement"]
    assert (allow["Principal"], allow["Resource"]) == ({"Service": "events.amazonaws.com"}, kept)
    assert deny["Effect"] == "Deny"
    assert "UndeliveredEvents" not in deployed()


def test_the_template_sets_only_variables_that_the_settings_read(resources: dict) -> None:
    class Environment(dict):
        def get(self, name: str, default: object = None) -> object:
            self[name] = None
            return default

    Settings.from_env(read := Environment())
    given = resources["Function"]["Environment"]["Variables"]
    assert given.keys() <= read.keys()
    assert given["AQSCORE_RESULTS_BUCKET"] == {"Ref": "ResultsBucket"}
    new, existing = {"Ref": "IncomingBucket"}, {"Ref": "ExistingBucket"}
    assert given["AQSCORE_INCOMING_BUCKET"] == {"Fn::If": ["NewBucket", new, existing]}


def test_every_runtime_has_its_image(template: dict, dockerfile: dict[str, str]) -> None:
    runtime = template["Parameters"]["Runtime"]
    assert set(runtime["AllowedValues"]) == set(RUNTIMES) <= dockerfile.keys()
    assert runtime["Default"] == ScorerConfig().runtime
    metadata = template["Resources"]["Function"]["Metadata"]
    assert metadata["DockerBuildTarget"] == {"Ref": "Runtime"}
    assert metadata["DockerTag"] == {"Fn::Sub": "${Runtime}-${Release}"}


def test_the_image_knows_every_value_of_formats(template: dict, dockerfile: dict[str, str]) -> None:
    choices = template["Parameters"]["Formats"]
    cases = re.findall(r"^    (\w+)\) ", dockerfile["formats"], flags=re.M)
    assert cases == choices["AllowedValues"]
    assert f"ARG FORMATS={choices['Default']}\n" in dockerfile["formats"]
    metadata = template["Resources"]["Function"]["Metadata"]
    assert metadata["DockerBuildArgs"] == {"FORMATS": {"Ref": "Formats"}}


def test_decoding_may_take_half_of_the_timeout(template: dict, resources: dict) -> None:
    given = resources["Function"]["Environment"]["Variables"]["AQSCORE_MAX_DECODE_S"]
    [mapping, key, entry] = given["Fn::FindInMap"]
    assert key == {"Ref": "Timeout"}
    allowed = {int(timeout): int(each[entry]) for timeout, each in template["Mappings"][mapping].items()}
    assert allowed == {
        int(each): int(each) // 2 for each in template["Parameters"]["Timeout"]["AllowedValues"]
    }


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_an_image_has_its_model_and_handler(
    runtime: str, resources: dict, dockerfile: dict[str, str]
) -> None:
    stage = dockerfile[runtime]
    assert set(re.findall(r"model_artifacts/(\S+\.\w+)", stage)) == {
        "model.json",
        {"onnx": "model.onnx", "tensorflow": "model.keras"}[runtime],
    }
    assert f"ENV AQSCORE_RUNTIME={runtime} " in stage
    [command] = resources["Function"]["ImageConfig"]["Command"]
    assert f'CMD ["{command}"]' in stage


LISTS = [
    "requirements",
    "function/requirements",
    "function/requirements-tensorflow",
    "function/requirements-formats",
    "function/requirements-command",
]
TOOLS = [
    "infra/audit/requirements-audit",
    "infra/audit/requirements-checkov",
    "infra/localstack/requirements",
    "infra/localstack/requirements-sam",
]


@pytest.mark.parametrize("name", LISTS + TOOLS)
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    """After a change of a requirements*.in: make lock."""
    locked = pins(f"{name}.txt")
    assert requested(f"{name}.in").items() <= locked.items()
    entries = re.split(r"^(?=\w)", (ROOT / f"{name}.txt").read_text(), flags=re.M)[1:]
    assert len(entries) == len(locked)
    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize("name", LISTS[1:])
def test_the_image_has_the_versions_that_were_tested(name: str) -> None:
    assert pins(f"{name}.txt").items() <= pins("requirements.txt").items()


def test_tools_are_installed_from_lists_with_hashes() -> None:
    text = (ROOT / "infra" / "localstack" / "install.py").read_text()
    installs = [line for line in text.splitlines() if '"-r", str(' in line and '"--editable"' not in line]
    assert installs and all('"--require-hashes"' in line or '"-d", folder' in line for line in installs)


def test_images_install_only_packages_with_hashes(dockerfile: dict[str, str]) -> None:
    commands = [line for stage in dockerfile.values() for line in stage.splitlines() if "pip install" in line]
    assert len(commands) == len(LISTS) - 1
    assert all("--require-hashes" in command for command in commands)


def test_the_default_image_has_no_training_packages() -> None:
    for_training = {"tensorflow-cpu", "keras", "scipy", "matplotlib", "rich"}
    assert not pins("function/requirements.txt").keys() & for_training


def test_a_recording_of_ten_hours_fits_into_the_storage(template: dict, resources: dict) -> None:
    function = resources["Function"]
    assert function["EphemeralStorage"] == {"Size": {"Ref": "EphemeralStorage"}}
    [mapping, key, entry] = function["Environment"]["Variables"]["AQSCORE_MAX_BYTES"]["Fn::FindInMap"]
    assert key == {"Ref": "EphemeralStorage"}
    limits = {int(size): int(each[entry]) for size, each in template["Mappings"][mapping].items()}
    storage = template["Parameters"]["EphemeralStorage"]
    assert set(limits) == {int(size) for size in storage["AllowedValues"]}
    for size, limit in limits.items():
        assert limit < 0.95 * size * 2**20
    ten_hours_bytes = 36_000 * 16_000 * 2
    assert limits[int(storage["Default"])] > ten_hours_bytes
