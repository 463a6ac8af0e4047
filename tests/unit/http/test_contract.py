"""The OpenAPI document: no request that is generated from it ends in a 500, and each answer fits it."""

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from aqscore.config import ScorerConfig
from aqscore.http.app import create_app
from aqscore.http.contract import EXAMPLE
from aqscore.report import Report
from tests.conftest import EXAMPLES
from tests.unit.http.memory_store import MemoryStore

CHECKS = [content_type_conformance, response_schema_conformance, status_code_conformance]
CLEAN = (EXAMPLES / "clean.flac").read_bytes()

app = create_app(ScorerConfig(), MemoryStore({"calls/a.flac": CLEAN, "a" * 32: b""}))
api_schema = schemathesis.openapi.from_asgi("/openapi.json", app)


@api_schema.parametrize()
@settings(max_examples=100, deadline=None, derandomize=True)
def test_no_request_ends_in_a_500(case):
    answer = case.call()
    assert answer.status_code < 500, answer.text
    case.validate_response(answer, checks=CHECKS)


@pytest.fixture(scope="module")
def document() -> dict:
    return TestClient(app).get("/openapi.json").json()


def test_the_example_is_a_report():
    assert Report.model_validate(EXAMPLE).model_dump(mode="json").keys() == EXAMPLE.keys()


def test_every_operation_has_a_tag_a_summary_and_an_id(document):
    tags = {tag["name"] for tag in document["tags"]}
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"] and operation["operationId"].isalpha()
            assert set(operation["tags"]) <= tags


def test_every_field_with_a_number_of_bytes_or_seconds_names_its_unit(document):
    for name, schema in document["components"]["schemas"].items():
        for field, value in schema.get("properties", {}).items():
            if value.get("type") == "number":
                units = ("_s", "_hz", "_dbfs", "_db", "share", "score", "severity")  # points of the score
                assert field.endswith(units) or name == "Distribution", f"{name}.{field}"


def test_authentication_is_described(document):
    schemes = document["components"]["securitySchemes"]
    for requirement in document["security"]:
        assert requirement.keys() <= schemes.keys()
    assert document["paths"]["/v1/health"]["get"]["security"] == []
    assert {} in document["security"]  # servers of one's own
