"""The HTTPS API and the page that uses it.

``python -m aqscore.http.app`` prints the OpenAPI document, docs/openapi.json.
"""

import json
import math
import uuid
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi import Path as PathParameter
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from aqscore.config import ScorerConfig
from aqscore.deadline import Deadline
from aqscore.errors import BadRequest, LimitExceeded, NotOffered, ObjectNotFound
from aqscore.http import contract
from aqscore.http.bodies import JSON, json_body, kind_of, posted_file
from aqscore.http.bundle import PAGE, SAMPLES, bundle
from aqscore.http.capacity import Capacity
from aqscore.http.middleware import Answers, HostCheck
from aqscore.http.policies import CSP, REFERENCE_POLICY, page_policy
from aqscore.http.problems import RETRY_AFTER_S, answer_with_problems
from aqscore.http.requests import Health, NamedObject, Upload, UploadTicket, check_parameters, score_options
from aqscore.http.store import RecordingStore
from aqscore.model.loading import load_model
from aqscore.pipeline import ScoreOptions, score_recording
from aqscore.report import ErrorRecord, FileSource, Report

REFERENCE = Path(__file__).parent / "reference"
UPLOAD_LIFETIME_S = 3600
EXPOSED_HEADERS = ["Location", "Aqscore-Result", "X-Request-Id", "Retry-After"]

ScoreId = Annotated[
    str, PathParameter(pattern="^[0-9a-f]{32}$", description="The id of an upload or a score")
]
TimeLimit = Callable[[Request], float]


def create_app(
    config: ScorerConfig,
    store: RecordingStore | None = None,
    *,
    cors_origin: str | None = None,
    host_names: Collection[str] | None = None,
    time_limit_s: TimeLimit = lambda _: math.inf,
    on_scored: Callable[[Report], None] | None = None,
) -> FastAPI:
    """The ASGI application.

    ``store`` holds uploads and results; without one only posted recordings are scored. Pages of
    ``cors_origin`` may call the API. With ``host_names``, requests that name another host are rejected.
    ``time_limit_s`` returns the seconds that a request may take, from now on. ``on_scored`` is called with
    each report, for metrics.
    """
    app = FastAPI(
        title="aqscore",
        version="1",
        description=contract.DESCRIPTION,
        openapi_tags=contract.TAGS,
        servers=contract.SERVERS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect's address would be made of the request's Host
    )
    answer_with_problems(app)
    # The last one added comes first.
    if host_names is not None:
        app.add_middleware(HostCheck, names=host_names)
    app.add_middleware(Answers)
    if cors_origin:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[cors_origin],
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=EXPOSED_HEADERS,
        )
    _add_pages(app, store)
    _add_routes(app, _Routes(config, store, time_limit_s, on_scored))
    contract.complete(app)
    return app


def _add_pages(app: FastAPI, store: RecordingStore | None) -> None:
    """The page and the API's reference. Their files have addresses that hold behind a stage, too."""

    def page() -> HTMLResponse:
        document = bundle("index.html")
        policy = page_policy(*document.policy(), store.upload_origin() if store else None)
        return HTMLResponse(document.html, headers={CSP: policy})

    def reference() -> FileResponse:
        return FileResponse(REFERENCE / "index.html", headers={CSP: REFERENCE_POLICY})

    app.get("/", include_in_schema=False)(page)
    app.get("/docs", include_in_schema=False)(reference)
    app.mount("/page", StaticFiles(directory=PAGE))
    app.mount("/samples", StaticFiles(directory=SAMPLES, check_dir=False))
    app.mount("/docs", StaticFiles(directory=REFERENCE, packages=[("fastapi_offline", "static")]))


def _add_routes(app: FastAPI, routes: "_Routes") -> None:
    checked = [Depends(check_parameters)]
    app.get("/v1/health", tags=["Service"], operation_id="getHealth", summary="Whether the API answers")(
        health
    )
    app.get(
        "/v1/model",
        tags=["Service"],
        operation_id="getModel",
        summary="The model that scores",
        dependencies=checked,
        responses=contract.INVALID,
    )(routes.model)
    app.post(
        "/v1/scores",
        tags=["Scores"],
        operation_id="scoreRecording",
        summary="Score a recording",
        dependencies=checked,
        openapi_extra=contract.RECORDING_BODY,
        responses=contract.SCORED | contract.ERRORS,
    )(routes.post_score)
    app.post(
        "/v1/uploads",
        status_code=201,
        tags=["Uploads"],
        operation_id="prepareUpload",
        summary="Prepare the upload of a large recording",
        dependencies=checked,
        openapi_extra=contract.UPLOAD_BODY,
        responses=contract.ERRORS,
    )(routes.post_upload)
    app.get(
        "/v1/scores/{score_id}",
        tags=["Scores"],
        operation_id="getScore",
        summary="Look up a result",
        dependencies=checked,
        response_model=Report | ErrorRecord,
        responses=contract.ERRORS | contract.PENDING,
    )(routes.get_score)


async def health() -> Health:  # needs no thread, all of which may be at work
    """Answers without loading the model."""
    return Health()


class _Routes:
    """The routes that need a model or a store."""

    def __init__(
        self,
        config: ScorerConfig,
        store: RecordingStore | None,
        time_limit_s: TimeLimit,
        on_scored: Callable[[Report], None] | None,
    ) -> None:
        self._config = config
        self._store = store
        self._time_limit_s = time_limit_s
        self._on_scored = on_scored
        self._capacity = Capacity()

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
        deadline = Deadline(self._time_limit_s(request))
        self._capacity.check()
        if kind_of(request) == JSON:
            named = await _named_object(request)
            with self._capacity.place():
                report = await run_in_threadpool(self._score_object, named, options, deadline)
        else:
            async with posted_file(request, self._config.limits.max_bytes) as (name, file):
                with self._capacity.place():
                    scores = await run_in_threadpool(score_recording, file, self._config, options, deadline)
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

    async def post_upload(self, request: Request) -> UploadTicket:
        """Prepares the upload of a recording that is too large for a request, directly to the bucket."""
        upload = await json_body(request, Upload)
        store, max_bytes = self._needed_store(), self._config.limits.max_bytes
        if upload.size > max_bytes:
            raise LimitExceeded(f"The upload has {upload.size:,} bytes, the limit is {max_bytes:,}.")
        upload_id = uuid.uuid4().hex
        post = await run_in_threadpool(
            store.presign_upload, upload_id, upload.content_type, upload.size, UPLOAD_LIFETIME_S
        )
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
            return Response(body, media_type=JSON)
        if store.has_upload(score_id):
            return Response(status_code=202, headers={"Retry-After": str(RETRY_AFTER_S)})
        raise ObjectNotFound(
            f"Nothing was uploaded or scored under the id {score_id}.",
            advice="Upload the recording first, with the fields that POST /v1/uploads returned.",
        )

    def _score_object(self, named: NamedObject, options: ScoreOptions, deadline: Deadline) -> Report:
        store, max_bytes = self._needed_store(), self._config.limits.max_bytes
        with store.open_object(named.bucket, named.key, max_bytes, deadline) as (file, source):
            scores = score_recording(file, self._config, options, deadline)
            return Report(source=source, **dict(scores))

    def _needed_store(self) -> RecordingStore:
        if self._store is None:
            raise NotOffered("This installation has no buckets, so nothing can be uploaded or looked up.")
        return self._store


async def _named_object(request: Request) -> NamedObject:
    try:
        return await json_body(request, NamedObject)
    except RequestValidationError:
        raise BadRequest(
            'The JSON body is not {"bucket": ..., "key": ...}, with a key of 1 to 1,024 bytes.'
        ) from None


if __name__ == "__main__":
    print(json.dumps(create_app(ScorerConfig()).openapi(), indent=2))
