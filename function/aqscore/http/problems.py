"""Errors as HTTP answers: problem details for HTTP APIs, RFC 9457."""

import logging
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
    PermanentError,
    RetryableError,
    Superseded,
    UnsupportedFormat,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
# The first that fits, from special to general.
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
    (RetryableError, 503),
)


def request_id_of(request: Request) -> str:
    """Lambda's id of the call, or one of our own where there is no Lambda."""
    context = request.scope.get("aws.context")
    if "request_id" not in request.scope:
        request.scope["request_id"] = getattr(context, "aws_request_id", None) or str(uuid.uuid4())
    return request.scope["request_id"]


def answer_with_problems(app: FastAPI) -> None:
    """Makes every error of the application an RFC 9457 answer that carries the request's id."""

    @app.exception_handler(AqscoreError)
    async def ours(request: Request, error: AqscoreError) -> JSONResponse:
        status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
        return problem(request, status, error.type, error.message, error.advice)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        return problem(request, 422, "invalid_request", wrong, "See /docs for the shape of a request.")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        answer = problem(request, error.status_code, "http_error", str(error.detail), "See /docs.")
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("Request %s failed", request_id_of(request), exc_info=error)
        return problem(
            request, 500, AqscoreError.type, "The request could not be answered.", AqscoreError.advice
        )


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
