"""Authentication and logs of the API, checked on the template: LocalStack and `sam local` enforce neither."""

import json
from collections.abc import Callable

import pytest

from aqscore.aws.events.http import REQUEST_S
from aqscore.http.requests import Health

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
    assert is_open == {("/v1/health", "get"), ("/v1/health", "head"), ("/{path+}", "options")}
    for path, methods in paths.items():
        for method, operation in methods.items():
            if (path, method) not in is_open:
                assert operation["x-amazon-apigateway-auth"] == {
                    "type": {"Fn::If": ["SignedCalls", "AWS_IAM", "NONE"]}
                }


def test_another_authentication_reaches_the_stage(resources: dict) -> None:
    # SAM names its snapshot of the API after the definition alone, in which parameters are not resolved yet.
    assert resources["Api"]["AlwaysDeploy"] is True


def test_api_keys_are_required_when_chosen(paths: dict, template: dict) -> None:
    operation = paths["/{path+}"]["x-amazon-apigateway-any-method"]
    assert operation["security"] == {"Fn::If": ["ApiKeys", [{"api_key": []}], []]}
    for name in ("UsagePlan", "ApiKey", "ApiKeyInPlan"):
        assert template["Resources"][name]["Condition"] == "ApiKeys"


def test_the_reference_is_open_wherever_the_page_is(paths: dict) -> None:
    for path in ("/", "/page/{file}", "/samples/{file}", "/docs", "/docs/{file}", "/openapi.json"):
        assert paths[path] == paths["/"]
        assert "security" not in paths[path]["x-amazon-apigateway-any-method"]


def test_health_and_preflight_requests_never_reach_the_function_and_all_others_do(paths: dict) -> None:
    for path, methods in paths.items():
        for method, operation in methods.items():
            integration = operation["x-amazon-apigateway-integration"]
            if path == "/v1/health" or method == "options":
                assert integration["type"] == "mock"
                # A mock integration fails on the binary media type */* otherwise.
                assert integration["contentHandling"] == "CONVERT_TO_TEXT"
                [answer] = integration["responses"].values()
                assert answer["statusCode"] in operation["responses"]
                assert json.loads(integration["requestTemplates"]["application/json"]) == {
                    "statusCode": int(answer["statusCode"])
                }
            else:
                assert integration["type"] == "aws_proxy"
                assert "${Function.Arn}:live" in integration["uri"]["Fn::Sub"]


def test_health_of_the_gateway_and_of_the_function_agree(paths: dict) -> None:
    integration = paths["/v1/health"]["get"]["x-amazon-apigateway-integration"]
    [answer] = integration["responses"].values()
    assert json.loads(answer["responseTemplates"]["application/json"]) == Health().model_dump()


@pytest.mark.parametrize("origin", ["", "https://example.org"])
def test_pages_of_the_allowed_site_can_read_the_gateways_own_answers(deployed: Callable, origin: str) -> None:
    body = deployed(CorsOrigin=origin)["Api"]["DefinitionBody"]
    answers = body["x-amazon-apigateway-gateway-responses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= answers.keys()
    allowed = [answer["responseParameters"] for answer in answers.values()]
    for path, method in (("/v1/health", "get"), ("/{path+}", "options")):
        integration = body["paths"][path][method]["x-amazon-apigateway-integration"]
        allowed.append(integration["responses"]["default"]["responseParameters"])
    for parameters in allowed:
        [said] = [parameters[name] for name in parameters if name.endswith("-Allow-Origin")] or [None]
        assert said == ({"Fn::Sub": "'${CorsOrigin}'"} if origin else None)


def test_a_request_ends_before_the_gateway_gives_up(template: dict) -> None:
    """And so the rate limit is a limit on concurrency, which the parameter's description states."""
    assert REQUEST_S + 4 <= 29
    description = template["Parameters"]["RequestsPerSecond"]["Description"]
    assert f"at most {REQUEST_S:.0f} s" in description
    assert f"{REQUEST_S + 1:.0f} times" in description
    assert min(map(int, template["Parameters"]["Timeout"]["AllowedValues"])) > REQUEST_S


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
