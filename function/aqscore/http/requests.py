"""Models of the HTTPS API's bodies, and its query parameters."""

import difflib
import math
from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, field_validator

from aqscore.pipeline import ScoreOptions

MAX_KEY_BYTES = 1024  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
MAX_S = 1e9  # of the times in a query: 31 years

ChannelNumber = Annotated[int, Field(ge=1, le=10_000)]


class NamedObject(BaseModel):
    """An object of the incoming bucket."""

    bucket: str = Field(max_length=255, examples=["aqscore-incoming-123456789012-eu-central-1"])
    key: str = Field(min_length=1, max_length=MAX_KEY_BYTES, examples=["calls/2026-11-27/a.wav"])

    @field_validator("key")
    @classmethod
    def _is_short_enough(cls, key: str) -> str:
        if len(key.encode()) > MAX_KEY_BYTES:
            raise ValueError(f"expected at most {MAX_KEY_BYTES:,} bytes of UTF-8")
        return key


class Upload(BaseModel):
    """A recording to be uploaded."""

    filename: str = Field(min_length=1, max_length=255, examples=["meeting.wav"])
    size: int = Field(gt=0, description="Bytes", examples=[19_332_044])
    content_type: str = Field(
        "application/octet-stream",
        pattern=r"^[A-Za-z0-9_.+-]+/[A-Za-z0-9_.+-]+$",
        max_length=100,
        examples=["audio/wav"],
    )


class UploadTicket(BaseModel):
    """Where to upload the recording, and where its score will be."""

    id: str = Field(description="32 hexadecimal digits", examples=["0f8fad5bd9cb469fa16570867728950e"])
    url: str = Field(
        description="POST a multipart form to it: the fields below, then `file`",
        examples=["https://aqscore-incoming-123456789012-eu-central-1.s3.eu-central-1.amazonaws.com/"],
    )
    fields: dict[str, str] = Field(
        examples=[{"Content-Type": "audio/wav", "key": "uploads/0f8fad5bd9cb469fa16570867728950e"}]
    )
    expires_s: int = Field(description="Seconds until the form expires", examples=[3600])
    score_url: str = Field(
        description="Path of the result, after the API's address",
        examples=["/v1/scores/0f8fad5bd9cb469fa16570867728950e"],
    )


class Health(BaseModel):
    """The API answers."""

    status: Literal["ok"] = "ok"


class Problem(BaseModel):
    """Problem details for HTTP APIs (RFC 9457), with an advice and the request's id."""

    type: str = Field(examples=["urn:aqscore:error:limit_exceeded"])
    title: str = Field(examples=["Limit exceeded"])
    status: int = Field(examples=[413])
    detail: str = Field(examples=["The recording is longer than 43,200 s, which is the limit."])
    advice: str = Field(examples=["Split the recording, or ask the operator to raise the limit."])
    request_id: str = Field(examples=["5ce5a93e-9fa8-4a3f-86fe-c91e48bfe98b"])


def score_options(
    channels: Annotated[
        Literal["mix", "split"] | ChannelNumber,
        Query(
            description="mix: score the mix of all channels. split: score each channel too. "
            "A number: score that channel only, counted from 1."
        ),
    ] = "mix",
    frames: Annotated[bool, Query(description="Whether to include the scores of single frames")] = True,
    start: Annotated[
        float,
        Query(ge=0, le=MAX_S, allow_inf_nan=False, description="Start of the part to score, in seconds"),
    ] = 0.0,
    end: Annotated[
        float | None,
        Query(
            gt=0,
            le=MAX_S,
            allow_inf_nan=False,
            description="End of the part to score, in seconds; the recording's end if absent",
        ),
    ] = None,
    track: Annotated[
        int | None,
        Query(
            ge=1,
            le=10_000,
            description="Audio track of a file with several, counted from 1; the default track if absent",
        ),
    ] = None,
) -> ScoreOptions:
    """The query parameters of a request as options of the pipeline."""
    return ScoreOptions(channels, frames, start, math.inf if end is None else end, track)


def check_parameters(request: Request) -> None:
    """Raises RequestValidationError for a query parameter that the route doesn't have or that is given twice.

    Parameters of a presigned AWS request (``X-Amz-...``) are left to AWS.
    """
    known = sorted(_query_names(request.scope["route"].dependant))
    given = [name for name, _ in request.query_params.multi_items() if not name.lower().startswith("x-amz-")]
    errors = [_unknown(name, known) for name in dict.fromkeys(given) if name not in known]
    errors += [_error(name, "given more than once") for name in known if given.count(name) > 1]
    if errors:
        raise RequestValidationError(errors)


def _query_names(dependant: Dependant) -> Iterator[str]:
    yield from (parameter.alias for parameter in dependant.query_params)
    for each in dependant.dependencies:
        yield from _query_names(each)


def _unknown(name: str, known: list[str]) -> dict[str, object]:
    if nearest := difflib.get_close_matches(name, known, 1):
        return _error(name, f"unknown parameter, expected `{nearest[0]}`?")
    expected = f"expected one of: {', '.join(known)}" if known else "expected none"
    return _error(name, f"unknown parameter, {expected}")


def _error(name: str, text: str) -> dict[str, object]:
    return {"type": "query_parameter", "loc": ("query", name[:100]), "msg": text}
