"""The HTTPS API and the page that uses it.

``python -m aqscore.http.app`` prints the OpenAPI document, docs/openapi.json.
"""

import json
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, BinaryIO

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi import Path as PathParameter
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive

from aqscore.config import ScorerConfig
from aqscore.errors import BadRequest, LimitExceeded, NotOffered, ObjectNotFound
from aqscore.http.bundle import PAGE, SAMPLES, bundle
from aqscore.http.problems import RETRY_AFTER_S, answer_with_problems, request_id_of
from aqscore.http.requests import ANY_BODY, ERRORS, NamedObject, Upload, UploadTicket, score_options
from aqscore.http.store import RecordingStore
from aqscore.model.loading import load_model
from aqscore.pipeline import ScoreOptions, score_recording
from aqscore.report import ErrorRecord, FileSource, Report

UPLOAD_ADVICE = "Upload the recording through POST /v1/uploads."
FORM = "multipart/form-data"
FORM_OVERHEAD_BYTES = 10_000  # of the parts of a form around its file
# The page plays recordings from memory (blob:) and uploads large ones to S3 (connect-src https:). Its script
# and its styles are named by their hashes; 'self' admits the microphone's worklet.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self' {script}; style-src {style}; img-src data:; media-src blob:; "
    "connect-src 'self' https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
UPLOAD_LIFETIME_S = 3600
EXPOSED_HEADERS = ["Location", "Aqscore-Result", "X-Request-Id", "Retry-After"]

ScoreId = Annotated[str, PathParameter(pattern="^[0-9a-f]{32}$")]


def create_app(
    config: ScorerConfig,
    store: RecordingStore | None = None,
    *,
    cors_origin: str | None = None,
    on_scored: Callable[[Report], None] | None = None,
) -> FastAPI:
    """The ASGI application.

    ``store`` holds uploads and results; without one only posted recordings are scored. Pages of
    ``cors_origin`` may call the API. ``on_scored`` is called with each report, for metrics.
    """
    app = FastAPI(
        title="aqscore",
        version="1",
        description="Scores recordings of speech without a reference, on the scale of wideband PESQ.",
    )
    answer_with_problems(app)
    if cors_origin:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[cors_origin],
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=EXPOSED_HEADERS,
        )
    app.mount("/page", StaticFiles(directory=PAGE))
    app.mount("/samples", StaticFiles(directory=SAMPLES, check_dir=False))
    app.middleware("http")(add_request_id)
    routes = _Routes(config, store, on_scored)
    app.get("/", include_in_schema=False)(page)
    app.get("/v1/health")(health)
    app.get("/v1/model")(routes.model)
    app.post("/v1/scores", openapi_extra=ANY_BODY, responses=ERRORS)(routes.post_score)
    app.post("/v1/uploads", status_code=201, responses=ERRORS)(routes.post_upload)
    app.get(
        "/v1/scores/{score_id}",
        response_model=Report | ErrorRecord,
        responses=ERRORS | {202: {"description": "Uploaded, not scored yet: retry"}},
    )(routes.get_score)
    return app


def page() -> HTMLResponse:
    """The page, which scores files in the browser's window."""
    document = bundle("index.html")
    style, script = document.policy()
    policy = PAGE_POLICY.format(style=style, script=script)
    return HTMLResponse(document.html, headers={"Content-Security-Policy": policy})


def health() -> dict[str, str]:
    """Answers without loading the model."""
    return {"status": "ok"}


async def add_request_id(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Adds the request's id to every response."""
    response = await call_next(request)
    response.headers["X-Request-Id"] = request_id_of(request)
    return response


class _Routes:
    """The routes that need a model or a store."""

    def __init__(
        self,
        config: ScorerConfig,
        store: RecordingStore | None,
        on_scored: Callable[[Report], None] | None,
    ) -> None:
        self._config = config
        self._store = store
        self._on_scored = on_scored

    def model(self) -> dict[str, Any]:
        """The model's name, version, scale and metrics."""
        info = load_model(self._config).info
        return {name: info[name] for name in ("name", "version", "scale", "metrics")}

    async def post_score(
        self,
        request: Request,
        response: Response,
        options: Annotated[ScoreOptions, Depends(score_options)],
        store: Annotated[bool, Query(description="Whether to store the result in the results bucket")] = True,
    ) -> Report:
        """Scores a recording: a form's `file`, the body itself, or an object named by bucket and key."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        max_bytes = self._config.limits.max_bytes
        _check_content_length(request, max_bytes)
        overhead = FORM_OVERHEAD_BYTES if kind == FORM else 0
        request = Request(request.scope, _limited(max_bytes + overhead, request.receive))
        if kind == "application/json":
            named = await _named_object(request)
            report = await run_in_threadpool(self._score_object, named, options)
        else:
            async with _posted_file(request, kind) as (name, file):
                scores = await run_in_threadpool(score_recording, file, self._config, options)
            report = Report(source=FileSource(file=name), **dict(scores))
            if store and self._store is not None:
                score_id = uuid.uuid4().hex
                body = report.model_dump_json().encode()
                url = await run_in_threadpool(self._store.keep_report, score_id, body)
                response.headers["Location"] = f"/v1/scores/{score_id}"
                response.headers["Aqscore-Result"] = url
        if self._on_scored is not None:
            self._on_scored(report)
        return report

    def post_upload(self, upload: Upload) -> UploadTicket:
        """Prepares the upload of a recording that is too large for a request, directly to the bucket."""
        store, max_bytes = self._needed_store(), self._config.limits.max_bytes
        if upload.size > max_bytes:
            raise LimitExceeded(f"The upload has {upload.size:,} bytes, the limit is {max_bytes:,}.")
        upload_id = uuid.uuid4().hex
        post = store.presign_upload(upload_id, upload.content_type, upload.size, UPLOAD_LIFETIME_S)
        return UploadTicket(
            id=upload_id,
            url=post["url"],
            fields=post["fields"],
            expires_s=UPLOAD_LIFETIME_S,
            score_url=f"/v1/scores/{upload_id}",
        )

    def get_score(self, score_id: ScoreId) -> Response:
        """The result of an upload or of an earlier post; 202 while it is pending."""
        store = self._needed_store()
        body = store.result(score_id)
        if body is not None:
            return Response(body, media_type="application/json")
        if store.has_upload(score_id):
            return Response(status_code=202, headers={"Retry-After": str(RETRY_AFTER_S)})
        raise ObjectNotFound(
            f"Nothing was uploaded or scored under the id {score_id}.",
            advice="Upload the recording first, with the fields that POST /v1/uploads returned.",
        )

    def _score_object(self, named: NamedObject, options: ScoreOptions) -> Report:
        store = self._needed_store()
        with store.open_object(named.bucket, named.key, self._config.limits.max_bytes) as (file, source):
            return Report(source=source, **dict(score_recording(file, self._config, options)))

    def _needed_store(self) -> RecordingStore:
        if self._store is None:
            raise NotOffered("This installation has no buckets, so nothing can be uploaded or looked up.")
        return self._store


async def _named_object(request: Request) -> NamedObject:
    try:
        return NamedObject.model_validate_json(await request.body())
    except ValidationError:
        raise BadRequest('The JSON body is not {"bucket": ..., "key": ...}.') from None


def _check_content_length(request: Request, max_bytes: int) -> None:
    """Raises LimitExceeded for a body whose Content-Length is too large, before it is read."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > max_bytes + FORM_OVERHEAD_BYTES:
        raise LimitExceeded(
            f"The request has {int(declared):,} bytes, the limit is {max_bytes:,}.", advice=UPLOAD_ADVICE
        )


def _limited(max_bytes: int, receive: Receive) -> Receive:
    """``receive`` with a limit: raises LimitExceeded after that many bytes, with any Content-Length."""
    received = 0

    async def receive_counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > max_bytes:
            raise LimitExceeded(f"The body has more than {max_bytes:,} bytes.", advice=UPLOAD_ADVICE)
        return message

    return receive_counted


@asynccontextmanager
async def _posted_file(request: Request, kind: str) -> AsyncIterator[tuple[str, BinaryIO]]:
    """The name of the posted file, and the file itself, on disk. It is deleted on leaving."""
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
        file.seek(0)
        yield "body", file


if __name__ == "__main__":
    print(json.dumps(create_app(ScorerConfig()).openapi(), indent=2))
