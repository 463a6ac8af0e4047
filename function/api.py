"""The HTTPS API and the page: a recording in, its score out."""

import json
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi import Path as PathParameter
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive

from function import telemetry
from function.errors import (
    BadRequest,
    Forbidden,
    LimitExceeded,
    NotOffered,
    ObjectNotFound,
)
from function.model import load_model
from function.object_ref import ObjectRef
from function.problems import RETRY_AFTER_S, answer_with_problems, request_id_of
from function.report import ErrorRecord, FileSource, ObjectSource, Report
from function.requests import ANY_BODY, ERRORS, Named, Options, Upload, UploadTicket
from function.settings import Settings
from function.storage import Storage, storage_of_stack

BY_UPLOAD = "Upload it by way of POST /v1/uploads."
FORM = "multipart/form-data"
FORM_BYTES = 10_000  # of a form that are not its file
PAGE = Path(__file__).parent / "page"
# Nothing from anywhere else. Recordings play from memory, and large ones are sent to S3.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; media-src blob:; "
    "connect-src 'self' https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
UPLOAD_S = 3600
UPLOADS = "uploads/"  # where recordings that came by way of the API lie, behind the incoming prefix
app = FastAPI(
    title="aqscore",
    version="1",
    description="Scores recordings of speech without a reference, on the scale of wideband PESQ.",
)
answer_with_problems(app)


@cache
def settings_of_environment() -> Settings:
    return Settings.from_env()


if origin := settings_of_environment().cors_origin:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[origin],
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=["Location", "Aqscore-Result", "X-Request-Id", "Retry-After"],
    )

SettingsHere = Annotated[Settings, Depends(settings_of_environment)]
StorageHere = Annotated[Storage, Depends(storage_of_stack)]
ScoreId = Annotated[str, PathParameter(pattern="^[0-9a-f]{32}$")]


app.mount("/page", StaticFiles(directory=PAGE))


@app.get("/", include_in_schema=False)
def page() -> FileResponse:
    """The page: drop a file, see its score and its timeline."""
    return FileResponse(PAGE / "index.html", headers={"Content-Security-Policy": PAGE_POLICY})


@app.get("/v1/health")
def health() -> dict[str, str]:
    """Says that the function answers; loads nothing."""
    return {"status": "ok"}


@app.get("/v1/model")
def model(settings: SettingsHere) -> dict[str, Any]:
    """Which model scores: its name, version, scale and metrics."""
    info = load_model(settings).info
    return {name: info[name] for name in ("name", "version", "scale", "metrics")}


@app.post("/v1/scores", openapi_extra=ANY_BODY, responses=ERRORS)
async def post_score(
    request: Request,
    response: Response,
    options: Annotated[Options, Depends()],
    settings: SettingsHere,
    storage: StorageHere,
    store: Annotated[bool, Query(description="Whether the result is kept in the results bucket")] = True,
) -> Report:
    """Scores a recording: posted as a form's `file`, as the body itself, or named by bucket and key."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    _check_size(request, settings.limits.max_bytes)
    room = FORM_BYTES if kind == FORM else 0
    request = Request(request.scope, _at_most(settings.limits.max_bytes + room, request.receive))
    if kind == "application/json":
        named = await _named(request)
        report = await run_in_threadpool(_score_object, named, options, settings, storage)
        _count(report)
        return report
    async with _posted(request, kind) as (name, file):
        scores = await run_in_threadpool(options.scores, file, settings)
    report = Report(source=FileSource(file=name), **scores)
    if store and settings.results_bucket:
        score_id = uuid.uuid4().hex
        key, error_key = settings.result_keys(_upload_key(settings, score_id))
        body = report.model_dump_json().encode()
        await run_in_threadpool(
            storage.put_result, settings.results_bucket, key, error_key, body, ObjectRef("", "")
        )
        response.headers["Location"] = f"/v1/scores/{score_id}"
        response.headers["Aqscore-Result"] = f"s3://{settings.results_bucket}/{key}"
    _count(report)
    return report


@app.post("/v1/uploads", status_code=201, responses=ERRORS)
def post_upload(upload: Upload, settings: SettingsHere, storage: StorageHere) -> UploadTicket:
    """Opens the way for a recording that is too large for a request: straight into the bucket."""
    if upload.size > settings.limits.max_bytes:
        raise LimitExceeded(
            f"{upload.size:,} bytes are announced, the limit is {settings.limits.max_bytes:,}."
        )
    upload_id = uuid.uuid4().hex
    ref = ObjectRef(_incoming(settings), _upload_key(settings, upload_id), size_bytes=upload.size)
    post = storage.presign_upload(ref, upload.content_type, UPLOAD_S)
    return UploadTicket(
        id=upload_id,
        url=post["url"],
        fields=post["fields"],
        expires_s=UPLOAD_S,
        score_url=f"/v1/scores/{upload_id}",
    )


@app.get(
    "/v1/scores/{score_id}",
    response_model=Report | ErrorRecord,
    responses=ERRORS | {202: {"description": "Uploaded and not scored yet: ask again"}},
)
def get_score(score_id: ScoreId, settings: SettingsHere, storage: StorageHere) -> Response:
    """The result for an upload or an earlier post; 202 while it is pending."""
    incoming = _incoming(settings)
    body = storage.read_result(settings.results_bucket, settings.result_keys(_upload_key(settings, score_id)))
    if body is not None:
        return Response(body, media_type="application/json")
    if storage.exists(ObjectRef(incoming, _upload_key(settings, score_id))):
        return Response(status_code=202, headers={"Retry-After": str(RETRY_AFTER_S)})
    raise ObjectNotFound(
        f"Nothing was uploaded or scored under the id {score_id}.",
        advice="Upload the recording first, with the fields that POST /v1/uploads returned.",
    )


@app.middleware("http")
async def name_the_request(request: Request, call_next) -> Response:
    """Puts the request's id into every answer."""
    response = await call_next(request)
    response.headers["X-Request-Id"] = request_id_of(request)
    return response


def _incoming(settings: Settings) -> str:
    if not settings.incoming_bucket or not settings.results_bucket:
        raise NotOffered("This installation has no buckets, so nothing can be uploaded or looked up.")
    return settings.incoming_bucket


def _upload_key(settings: Settings, score_id: str) -> str:
    return f"{settings.incoming_prefix}{UPLOADS}{score_id}"


def _count(report: Report) -> None:
    source = report.source.model_dump()
    telemetry.file_done("scored", source, report.timing.total_s, report, age_s=None)


async def _named(request: Request) -> Named:
    try:
        return Named.model_validate_json(await request.body())
    except ValidationError:
        raise BadRequest('The JSON body is not {"bucket": ..., "key": ...}.') from None


def _check_size(request: Request, max_bytes: int) -> None:
    """Refuses what announces too much, before a byte of it is taken in."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > max_bytes + FORM_BYTES:
        raise LimitExceeded(
            f"The request has {int(announced):,} bytes, the limit is {max_bytes:,}.", advice=BY_UPLOAD
        )


def _at_most(max_bytes: int, receive: Receive) -> Receive:
    """``receive`` that ends with LimitExceeded: announced or not, no more than that is taken in."""
    taken = 0

    async def receive_counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > max_bytes:
            raise LimitExceeded(f"The body has more than {max_bytes:,} bytes.", advice=BY_UPLOAD)
        return message

    return receive_counted


def _score_object(named: Named, options: Options, settings: Settings, storage: Storage) -> Report:
    if named.bucket != _incoming(settings):
        raise Forbidden(f"The bucket {named.bucket} is not this stack's incoming bucket.")
    if not named.key.startswith(settings.incoming_prefix):
        raise Forbidden(f"{named.key} is not under {settings.incoming_prefix}, where recordings lie.")
    ref = ObjectRef(named.bucket, named.key)
    with storage.open(ref, settings.limits.max_bytes) as (file, found):
        return Report(source=ObjectSource(**found.as_source()), **options.scores(file, settings))


@asynccontextmanager
async def _posted(request: Request, kind: str) -> AsyncIterator[tuple[str, BinaryIO]]:
    """The posted file's name and the file itself, on disk, gone on leaving."""
    if kind == FORM:
        async with request.form(max_files=1, max_fields=10) as form:
            upload = form.get("file")
            if not isinstance(upload, UploadFile):
                raise BadRequest("The form has no file in a field named `file`.")
            yield upload.filename or "file", upload.file
        return
    with tempfile.TemporaryFile() as file:
        async for chunk in request.stream():
            file.write(chunk)
        yield "body", file


if __name__ == "__main__":
    print(json.dumps(app.openapi(), indent=2))
