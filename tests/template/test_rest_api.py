"""Who may call the API, checked on the template: neither LocalStack nor `sam local` would refuse anybody."""

import pytest


@pytest.fixture(scope="module")
def paths(resources: dict) -> dict[str, dict]:
    """Path -> method -> operation."""
    return resources["Api"]["DefinitionBody"]["paths"]


def test_calls_are_signed_unless_someone_decides_otherwise(template: dict) -> None:
    assert template["Parameters"]["Authentication"]["Default"] == "AWS_IAM"
    assert template["Conditions"]["SignedCalls"] == {"Fn::Equals": [{"Ref": "Authentication"}, "AWS_IAM"]}


def test_only_health_and_a_browsers_question_are_always_open(paths: dict) -> None:
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


def test_a_key_is_needed_where_keys_are_chosen(paths: dict, template: dict) -> None:
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


def test_audio_passes_unchanged_and_calls_are_limited_and_logged(resources: dict) -> None:
    api = resources["Api"]
    assert api["BinaryMediaTypes"] == ["*/*"]
    [settings] = api["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == settings["ThrottlingBurstLimit"] == {"Ref": "RequestsPerSecond"}
    assert "$context.requestId" in api["AccessLogSetting"]["Format"]
    assert "authorization" not in api["AccessLogSetting"]["Format"].lower()


def test_the_page_may_post_large_recordings_to_s3_and_no_more(resources: dict) -> None:
    cors = resources["IncomingBucket"]["CorsConfiguration"]
    assert cors == {"CorsRules": [{"AllowedOrigins": ["*"], "AllowedMethods": ["POST"]}]}


def test_no_other_site_may_call_by_default(template: dict) -> None:
    assert template["Parameters"]["CorsOrigin"]["Default"] == ""
