"""Errors as HTTP responses: problem details for HTTP APIs (RFC 9457), with advice for API clients."""

import uuid

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from aqscore.errors import (
    AqscoreError,
    BadRequest,
    EmptyFile,
    Forbidden,
    LimitExceeded,
    NotOffered,
    ObjectNotFound,
    OutOfTime,
    PermanentError,
    RetryableError,
    SetupError,
    Superseded,
    UnsupportedFormat,
    advice_for,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
# The first matching type decides, so bases come after their subclasses.
STATUS: tuple[tuple[type[AqscoreError], int], ...] = (
    (BadRequest, 400),
    (EmptyFile, 400),
    (Forbidden, 403),
    (ObjectNotFound, 404),
    (LimitExceeded, 413),
    (UnsupportedFormat, 415),
    (NotOffered, 501),
    (PermanentError, 422),
    (Superseded, 409),
    (OutOfTime, 422),  # a request has a fixed time: the next one would have no more
    (RetryableError, 503),
)
ASK_OPERATOR = "Give the request_id to the operator: the log has the details."
ADVICE: dict[type[AqscoreError], str] = {
    BadRequest: "See /docs for the shape of a request.",
    Forbidden: "Send the recording itself to POST /v1/scores, or upload it through POST /v1/uploads.",
    NotOffered: "Send the recording itself to POST /v1/scores.",
    ObjectNotFound: "Check the bucket and the key, or the id of the score.",
    OutOfTime: "Upload the recording through POST /v1/uploads: an upload is scored with more time.",
    EmptyFile: "Check the program that wrote the file, and send it again.",
    LimitExceeded: "Split the recording, or ask the operator to raise the limit.",
    RetryableError: "Send the request again after the seconds in Retry-After.",
    SetupError: ASK_OPERATOR,
    Superseded: "Send the request again: the object was overwritten while it was read.",
}


def request_id_of(request: Request) -> str:
    """Lambda's request id; outside Lambda, a new one for each request."""
    context = request.scope.get("aws.context")
    if "request_id" not in request.scope:
        request.scope["request_id"] = getattr(context, "aws_request_id", None) or str(uuid.uuid4())
    request_id: str = request.scope["request_id"]
    return request_id


def answer_with_problems(app: FastAPI) -> None:
    """Turns the errors of the application into RFC 9457 responses with the request's id.

    Unexpected exceptions are left to aqscore.http.middleware.
    """

    @app.exception_handler(AqscoreError)
    async def aqscore_error(request: Request, error: AqscoreError) -> JSONResponse:
        status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
        return problem(request, status, error.type, error.message, advice_for(error, ADVICE))

    @app.exception_handler(RequestValidationError)
    async def invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
        detail = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        return problem(request, 422, "invalid_request", detail, "See /docs for the shape of a request.")

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        response = problem(request, error.status_code, "http_error", str(error.detail), "See /docs.")
        response.headers.update(error.headers or {})
        return response


def problem(request: Request, status: int, kind: str, detail: str, advice: str) -> JSONResponse:
    """An RFC 9457 document, with ``advice`` and ``request_id`` as extension members."""
    return JSONResponse(
        {
            "type": f"urn:aqscore:error:{kind}",
            "title": kind.replace("_", " ").capitalize(),
            "status": status,
            "detail": detail,
            "advice": advice,
            "request_id": request_id_of(request),
        },
        status,
        headers={"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None,
        media_type=MEDIA_TYPE,
    )
