"""What a client may ask of the HTTPS API, and what it is told: bodies, options, errors."""

import math
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from aqscore.http.problems import MEDIA_TYPE
from aqscore.pipeline import ScoreOptions

ERRORS = {
    status: {"description": text, "content": {MEDIA_TYPE: {}}}
    for status, text in {
        400: "The request names nothing that could be scored",
        403: "The object may not be scored through the API",
        404: "There is no such object or score",
        413: "Too large or too long",
        415: "Not audio that can be decoded",
        422: "The request or the recording is not valid",
        501: "Not offered by this installation",
        503: "Try again, after the seconds in Retry-After",
    }.items()
}
ANY_BODY = {
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
    """What is going to be uploaded."""

    filename: str = Field(min_length=1, max_length=255)
    size: int = Field(gt=0, description="Bytes")
    content_type: str = Field("application/octet-stream", pattern=r"^[\w.+-]+/[\w.+-]+$", max_length=100)


class UploadTicket(BaseModel):
    """Where to upload to, and where the score will be."""

    id: str
    url: str = Field(description="POST a multipart form to it: the fields below, then `file`")
    fields: dict[str, str]
    expires_s: int
    score_url: str


def score_options(
    channels: Annotated[Literal["mix", "split"], Query(description="split: each channel too")] = "mix",
    frames: Annotated[bool, Query(description="Whether single frames are in the answer")] = True,
    start: Annotated[float, Query(ge=0, allow_inf_nan=False, description="Seconds")] = 0.0,
    end: Annotated[float | None, Query(gt=0, allow_inf_nan=False, description="Seconds")] = None,
) -> ScoreOptions:
    """The query parameters of a request as options of the pipeline."""
    return ScoreOptions(channels, frames, start, math.inf if end is None else end)
