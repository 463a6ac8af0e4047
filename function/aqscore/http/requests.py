"""Request bodies, query parameters and error responses of the HTTPS API."""

import math
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from aqscore.http.problems import MEDIA_TYPE
from aqscore.pipeline import ScoreOptions

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {MEDIA_TYPE: {}}}
    for status, text in {
        400: "The request names nothing that can be scored",
        403: "The object may not be scored through the API",
        404: "No such object or score",
        413: "Too large or too long",
        415: "No audio that can be decoded",
        422: "The request or the recording is not valid",
        501: "Not offered by this installation",
        503: "Retry after the seconds in Retry-After",
    }.items()
}
ANY_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["bucket", "key"],
                    "properties": {"bucket": {"type": "string"}, "key": {"type": "string"}},
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


class NamedObject(BaseModel):
    """An object of the incoming bucket."""

    bucket: str
    key: str = Field(min_length=1)


class Upload(BaseModel):
    """A recording to be uploaded."""

    filename: str = Field(min_length=1, max_length=255)
    size: int = Field(gt=0, description="Bytes")
    content_type: str = Field("application/octet-stream", pattern=r"^[\w.+-]+/[\w.+-]+$", max_length=100)


class UploadTicket(BaseModel):
    """Where to upload the recording, and where its score will be."""

    id: str
    url: str = Field(description="POST a multipart form to it: the fields below, then `file`")
    fields: dict[str, str]
    expires_s: int
    score_url: str


def score_options(
    channels: Annotated[Literal["mix", "split"], Query(description="split: score each channel too")] = "mix",
    frames: Annotated[bool, Query(description="Whether to include frame scores")] = True,
    start: Annotated[float, Query(ge=0, allow_inf_nan=False, description="Seconds")] = 0.0,
    end: Annotated[float | None, Query(gt=0, allow_inf_nan=False, description="Seconds")] = None,
) -> ScoreOptions:
    """The query parameters of a request as options of the pipeline."""
    return ScoreOptions(channels, frames, start, math.inf if end is None else end)
