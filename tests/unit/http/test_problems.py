"""aqscore.http.problems: a status for every error, and advice for clients of the API."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from aqscore.errors import (
    BadRequest,
    DecoderLost,
    LimitExceeded,
    SetupError,
    Superseded,
    UnsupportedFormat,
)
from aqscore.http.problems import ADVICE, ASK_OPERATOR, answer_with_problems


@pytest.mark.parametrize(
    ("error", "status", "advice"),
    [
        (BadRequest("x"), 400, ADVICE[BadRequest]),
        (LimitExceeded("x", advice="Upload it."), 413, "Upload it."),
        (UnsupportedFormat("x"), 415, UnsupportedFormat.advice),
        (DecoderLost("x"), 503, "Send the request again after the seconds in Retry-After."),
        (Superseded("x"), 409, ADVICE[Superseded]),
        (SetupError("x"), 500, ASK_OPERATOR),
    ],
)
def test_errors_have_a_status_and_the_advice_of_the_api(error, status, advice):
    app = FastAPI()
    answer_with_problems(app)

    @app.get("/")
    def fail() -> None:
        raise error

    response = TestClient(app, raise_server_exceptions=False).get("/")
    assert response.status_code == status
    assert response.json()["advice"] == advice
    assert ("Retry-After" in response.headers) == (status == 503)
