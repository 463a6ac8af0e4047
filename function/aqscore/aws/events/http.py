"""HTTP requests: API Gateway's REST and HTTP APIs, and function URLs, by way of Mangum."""

from functools import cache
from typing import TYPE_CHECKING, Any

from aqscore.aws.metrics import count_report
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.aws.recording_store import S3RecordingStore
from aqscore.aws.settings import Settings
from aqscore.aws.storage import storage_of_stack

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
    def handle(event: Any, context: Any, folder: ObjectScorer) -> dict[str, Any]:
        return _application()(event, context)


@cache
def _application() -> "Mangum":
    # Imported at the first request: the cold start of the drop folder doesn't wait for FastAPI.
    from mangum import Mangum
    from mangum.adapter import DEFAULT_TEXT_MIME_TYPES

    from aqscore.http.app import create_app
    from aqscore.http.problems import MEDIA_TYPE

    settings = Settings.from_env()
    app = create_app(
        settings.scorer,
        S3RecordingStore(settings, storage_of_stack()) if settings.incoming_bucket else None,
        cors_origin=settings.cors_origin,
        on_scored=count_report,
    )
    return Mangum(app, lifespan="off", text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE])
