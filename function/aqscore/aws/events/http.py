"""HTTP requests through API Gateway (REST and HTTP APIs) or a function URL, adapted by Mangum."""

import time
from functools import cache
from typing import TYPE_CHECKING, Any

from aqscore.aws.metrics import record_api_report
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.aws.recording_store import S3RecordingStore
from aqscore.aws.s3 import shared_s3_client
from aqscore.aws.settings import Settings

if TYPE_CHECKING:
    from fastapi import Request
    from mangum import Mangum

# API Gateway waits 29 s: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
REQUEST_S = 25.0
# The init phase has 10 s: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
INIT_S = 10.0


class Http:
    """Payload formats 1.0 (``httpMethod``) and 2.0 (``requestContext.http``)."""

    @staticmethod
    def infer(event: Any) -> bool:
        if not isinstance(event, dict) or not isinstance(event.get("requestContext"), dict):
            return False
        return "httpMethod" in event or "http" in event["requestContext"]

    @staticmethod
    def handle(event: Any, context: Any, scorer: ObjectScorer) -> dict[str, Any]:
        return _application()(event, context)


def time_limit_s(request: "Request") -> float:
    """The seconds that a request may take from now on.

    API Gateway answers 504 after 29 s, counted from the request's arrival there. A start of the function has
    taken part of them: at most INIT_S is assumed, so that a clock that is wrong rejects nothing.
    """
    context = request.scope["aws.event"]["requestContext"]
    arrived_ms = context.get("requestTimeEpoch") or context.get("timeEpoch")
    waited_s = time.time() - arrived_ms / 1000 if arrived_ms else 0.0
    return REQUEST_S - min(max(waited_s, 0.0), INIT_S)


@cache
def _application() -> "Mangum":
    # Imported at the first request, so that FastAPI adds nothing to the cold start for queue events.
    from mangum import Mangum
    from mangum.adapter import DEFAULT_TEXT_MIME_TYPES

    from aqscore.http.app import create_app
    from aqscore.http.problems import MEDIA_TYPE

    settings = Settings.from_env()
    app = create_app(
        settings.scorer,
        S3RecordingStore(settings, shared_s3_client()) if settings.incoming_bucket else None,
        cors_origin=settings.cors_origin,
        time_limit_s=time_limit_s,
        on_scored=record_api_report,
    )
    return Mangum(app, lifespan="off", text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE])
