"""HTTP requests through API Gateway (REST and HTTP APIs) or a function URL, adapted by Mangum."""

from functools import cache
from typing import TYPE_CHECKING, Any

from aqscore.aws.metrics import record_api_report
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.aws.recording_store import S3RecordingStore
from aqscore.aws.s3 import shared_s3_client
from aqscore.aws.settings import Settings

if TYPE_CHECKING:
    from mangum import Mangum


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
        on_scored=record_api_report,
    )
    return Mangum(app, lifespan="off", text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE])
