"""Authentication and logs of the API, checked on the template: LocalStack and `sam local` enforce neither."""

from collections.abc import Callable

import pytest

ACCOUNT = {"ApiAccount", "ApiLogsRole"}


@pytest.fixture(scope="module")
def paths(resources: dict) -> dict[str, dict]:
    """Path -> method -> operation."""
    return resources["Api"]["DefinitionBody"]["paths"]


def test_calls_are_signed_by_default(template: dict) -> None:
    assert template["Parameters"]["Authentication"]["Default"] == "AWS_IAM"
    assert template["Conditions"]["SignedCalls"] == {"Fn::Equals": [{"Ref": "Authentication"}, "AWS_IAM"]}


def test_only_health_and_preflight_requests_are_always_open(paths: dict) -> None:
    is_open = {
        (path, method)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if operation["x-amazon-apigateway-auth"] == {"type": "NONE"}
    }
    assert is_open == {("/v1/health", "get"), ("/{path+}", "options")}
    for path, methods in paths.items():
        for method, operation in methods.items():
            if (path, method) not in is_open:
                assert operation["x-amazon-apigateway-auth"] == {
                    "type": {"Fn::If": ["SignedCalls", "AWS_IAM", "NONE"]}
                }


def test_api_keys_are_required_when_chosen(paths: dict, template: dict) -> None:
    operation = paths["/{path+}"]["x-amazon-apigateway-any-method"]
    assert operation["security"] == {"Fn::If": ["ApiKeys", [{"api_key": []}], []]}
    for name in ("UsagePlan", "ApiKey", "ApiKeyInPlan"):
        assert template["Resources"][name]["Condition"] == "ApiKeys"


def test_every_path_reaches_the_function(paths: dict) -> None:
    for methods in paths.values():
        for operation in methods.values():
            integration = operation["x-amazon-apigateway-integration"]
            assert integration["type"] == "aws_proxy"
            assert "${Function.Arn}:live" in integration["uri"]["Fn::Sub"]


def test_bodies_are_binary_and_calls_are_rate_limited(resources: dict) -> None:
    api = resources["Api"]
    assert api["BinaryMediaTypes"] == ["*/*"]
    [settings] = api["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == settings["ThrottlingBurstLimit"] == {"Ref": "RequestsPerSecond"}


def test_the_account_is_unchanged_by_default(deployed: Callable) -> None:
    """Access logs need an account-wide setting: without it, CloudFormation could not create the stage."""
    there = deployed()
    assert not (ACCOUNT | {"ApiLogGroup"}) & there.keys()
    assert "AccessLogSetting" not in there["Api"]


@pytest.mark.parametrize(
    ("value", "account"), [("account-role", set()), ("set-account-role", ACCOUNT)], ids=str
)
def test_access_logs_are_opt_in(deployed: Callable, value: str, account: set[str]) -> None:
    there = deployed(ApiAccessLogs=value)
    assert ACCOUNT & there.keys() == account
    logs = there["Api"]["AccessLogSetting"]
    assert logs["DestinationArn"] == {"Fn::GetAtt": ["ApiLogGroup", "Arn"]}
    assert "ApiLogGroup" in there
    assert "$context.requestId" in logs["Format"]
    assert "authorization" not in logs["Format"].lower()


def test_the_api_waits_for_the_role_of_the_account(template: dict) -> None:
    """DependsOn can't have a condition, so the log group between them refers to ApiAccount."""
    after = template["Resources"]["ApiLogGroup"]["Metadata"]["After"]
    assert after == {"Fn::If": ["SetAccountRole", {"Ref": "ApiAccount"}, "none"]}


def test_the_console_shows_every_parameter_once_with_a_label(template: dict) -> None:
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    shown = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(shown) == sorted(template["Parameters"])
    assert interface["ParameterLabels"].keys() == template["Parameters"].keys()
    assert shown[:4] == ["Runtime", "Formats", "Authentication", "AlarmEmail"]


def test_the_page_may_only_post_recordings_to_s3(resources: dict) -> None:
    cors = resources["IncomingBucket"]["CorsConfiguration"]
    assert cors == {"CorsRules": [{"AllowedOrigins": ["*"], "AllowedMethods": ["POST"]}]}


def test_other_sites_may_not_call_by_default(template: dict) -> None:
    assert template["Parameters"]["CorsOrigin"]["Default"] == ""
