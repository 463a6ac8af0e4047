"""HTTP requests: API Gateway's REST and HTTP APIs, and function URLs, by way of Mangum."""

from functools import cache
from typing import Any

from function.drop_folder import DropFolder


class Http:
    """Payload formats 1.0 (``httpMethod``) and 2.0 (``requestContext.http``)."""

    @staticmethod
    def infer(event: Any) -> bool:
        if not isinstance(event, dict) or not isinstance(event.get("requestContext"), dict):
            return False
        return "httpMethod" in event or "http" in event["requestContext"]

    @staticmethod
    def handle(event: Any, context: Any, folder: DropFolder) -> dict[str, Any]:
        return _application()(event, context)


@cache
def _application():
    # Imported at the first request: the drop folder's cold start doesn't wait for FastAPI.
    from mangum import Mangum
    from mangum.adapter import DEFAULT_TEXT_MIME_TYPES

    from function.api import app
    from function.problems import MEDIA_TYPE

    return Mangum(app, lifespan="off", text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE])
