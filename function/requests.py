"""What a client may ask of the HTTPS API, and what it is told: bodies, options, errors."""

from dataclasses import replace
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from function.audio import Part
from function.errors import BadRequest
from function.problems import MEDIA_TYPE
from function.report import Scored
from function.scoring import score
from function.settings import Settings

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


class Named(BaseModel):
    """An object of the stack's own incoming bucket."""

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


class Options:
    """Which part is to be scored, and what is to be in the answer."""

    def __init__(
        self,
        channels: Annotated[Literal["mix", "split"], Query(description="split: each channel too")] = "mix",
        frames: Annotated[bool, Query(description="Whether single frames are in the answer")] = True,
        start: Annotated[float, Query(ge=0, allow_inf_nan=False, description="Seconds")] = 0.0,
        end: Annotated[float | None, Query(gt=0, allow_inf_nan=False, description="Seconds")] = None,
    ) -> None:
        if end is not None and end <= start:
            raise BadRequest(f"The part ends at {end:g} s and begins at {start:g} s: expected start < end.")
        self.split = channels == "split"
        self.frames = frames
        self.part = Part(start_s=start) if end is None else Part(start_s=start, end_s=end)

    def scores(self, file: BinaryIO, settings: Settings) -> dict[str, Any]:
        """Scores an open file as asked; the fields of a Report but its source."""
        whole = self._score(file, settings, self.part)
        channels: list[Scored] | None = None
        if self.split:
            parts = (replace(self.part, channel=number) for number in range(whole.media.channels))
            channels = [self._score(file, settings, part) for part in parts]
        return {**dict(whole), "channels": channels}

    def _score(self, file: BinaryIO, settings: Settings, part: Part) -> Scored:
        return score(file, settings, frames=self.frames, part=part)
