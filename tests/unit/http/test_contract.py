"""Requests generated from the OpenAPI document: no answer is a 500, and each fits the document."""

import schemathesis
from schemathesis.checks import not_a_server_error

from aqscore.config import ScorerConfig
from aqscore.http.app import create_app

api_schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(ScorerConfig()))


@api_schema.parametrize()
def test_no_request_ends_in_a_500(case):
    answer = case.call()
    if answer.status_code != 501:  # not offered, without buckets
        case.validate_response(answer, checks=[not_a_server_error])
