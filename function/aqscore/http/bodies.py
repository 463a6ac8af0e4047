"""Bodies of requests, read up to a limit: JSON documents and posted recordings."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from aqscore.errors import BadRequest, LimitExceeded

JSON = "application/json"
FORM = "multipart/form-data"
MAX_JSON_BYTES = 64_000
FORM_OVERHEAD_BYTES = 10_000  # of the parts of a form around its file
UPLOAD_ADVICE = "Upload the recording through POST /v1/uploads."
FORM_ADVICE = "Send the recording as one part named `file`, with a file name: curl -F file=@call.wav"


def kind_of(request: Request) -> str:
    """The media type of the body, in lower case and without parameters; empty if there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def json_body[T: BaseModel](request: Request, model: type[T]) -> T:
    """The JSON document in the body.

    Raises LimitExceeded for more than ``MAX_JSON_BYTES``, RequestValidationError for any other document.
    """
    advice = f"Send a JSON document of at most {MAX_JSON_BYTES:,} bytes."
    limited = _limited(request, MAX_JSON_BYTES, MAX_JSON_BYTES, advice)
    try:
        return model.model_validate_json(await limited.body())
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([each | {"loc": ("body", *each["loc"])} for each in errors]) from None


@asynccontextmanager
async def posted_file(request: Request, max_bytes: int) -> AsyncIterator[tuple[str, BinaryIO]]:
    """The name of the posted file, and the file itself, on disk. It is deleted on leaving.

    Raises LimitExceeded above ``max_bytes``, BadRequest for a form without a file.
    """
    if kind_of(request) == FORM:
        limited = _limited(request, max_bytes, max_bytes + FORM_OVERHEAD_BYTES, UPLOAD_ADVICE)
        async with _form_file(limited) as upload:
            yield upload.filename or "file", upload.file
        return
    with tempfile.TemporaryFile() as file:
        async for chunk in _limited(request, max_bytes, max_bytes, UPLOAD_ADVICE).stream():
            file.write(chunk)
        file.seek(0)
        yield "body", file


@asynccontextmanager
async def _form_file(request: Request) -> AsyncIterator[UploadFile]:
    try:
        form = await request.form(max_files=1, max_fields=10)
    except HTTPException as error:
        raise BadRequest(
            f"The form can't be read: {error.detail} A part without a file name is text of up to 1 MB.",
            advice=FORM_ADVICE,
        ) from None
    try:
        upload = form.get("file")
        if isinstance(upload, str):
            raise BadRequest(
                "The form's part `file` has no file name, so it was read as text. Expected the parameter "
                "`filename`; `filename*` is not read (RFC 7578, 4.2).",
                advice=FORM_ADVICE,
            )
        if upload is None:
            raise BadRequest("The form has no file in a field named `file`.", advice=FORM_ADVICE)
        yield upload
    finally:
        await form.close()


def _limited(request: Request, stated: int, max_bytes: int, advice: str) -> Request:
    """The request, with at most ``max_bytes`` of body.

    Raises LimitExceeded at once where Content-Length is larger; otherwise while the body is read. ``stated``
    is the limit in the message.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and float(declared) > max_bytes:  # int() takes no more than 4,300 digits
        raise LimitExceeded(
            f"The request has {float(declared):,.0f} bytes, the limit is {stated:,}.", advice=advice
        )
    return Request(request.scope, _limited_receive(request.receive, stated, max_bytes, advice))


def _limited_receive(receive: Receive, stated: int, max_bytes: int, advice: str) -> Receive:
    received = 0

    async def receive_counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > max_bytes:
            raise LimitExceeded(f"The body has more than {stated:,} bytes.", advice=advice)
        return message

    return receive_counted
