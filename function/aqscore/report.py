"""The schema of results, version 1. ``python -m aqscore.report`` prints docs/report-v1.schema.json."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from aqscore.causes import CauseKind
from aqscore.errors import AqscoreError, RetryableError, SetupError
from aqscore.scale import HIGHEST, HIGHEST_MOS, LOWEST, LOWEST_MOS, SCALE, Verdict
from aqscore.warning_texts import WARNINGS, WarningCode

if TYPE_CHECKING:
    import pandas

SCHEMA_VERSION: Final = "1"

Score = Annotated[float, Field(ge=LOWEST, le=HIGHEST, description=f"{SCALE}, {LOWEST} to {HIGHEST}")]
Mos = Annotated[float, Field(ge=LOWEST_MOS, le=HIGHEST_MOS, description="MOS, 1 to 5 (ITU-T P.800, ACR)")]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]


def _escape_other_bytes(text: str) -> str:
    """Shows bytes of a file name that are not UTF-8 as escapes: JSON can't hold them."""
    return text.encode("utf-8", "backslashreplace").decode()


Utf8 = Annotated[str, BeforeValidator(_escape_other_bytes)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ObjectSource(_Part):
    """The object version that was scored."""

    bucket: str
    key: str
    version_id: str | None = None
    etag: str | None = None
    sequencer: str | None = None
    size_bytes: int | None = None


class FileSource(_Part):
    """A local or posted file."""

    file: Utf8
    size_bytes: Annotated[int | None, Field(description="Size of a local file when it was scored")] = None
    modified: Annotated[str | None, Field(description="Last change of a local file, ISO 8601 in UTC")] = None


Source = ObjectSource | FileSource


class MediaInfo(_Part):
    """The format and the length of the file."""

    container: str
    codec: str
    sample_rate_hz: int
    channels: int
    duration_s: Seconds
    bandwidth_hz: int | None = Field(description="Upper end of the spectrum of speech; null in silence")
    scored_channels: list[int] | None = Field(
        None, description="The channels in the mix that was scored, counted from 1"
    )
    tracks: int | None = Field(None, description="The number of audio tracks in the file")
    track: int | None = Field(None, description="The audio track that was scored, counted from 1")


class ModelInfo(_Part):
    """The model that scored the recording."""

    name: str
    version: str
    sha256: str
    scale: Literal["PESQ-WB MOS-LQO"] = SCALE
    runtime: Literal["onnx", "tensorflow"]


class Frames(_Part):
    """A score for every frame: frame i is centred at start_s + i * hop_s."""

    hop_s: Seconds
    start_s: Seconds
    scores: list[float]


class Segment(_Part):
    """A part of the recording and its score."""

    start_s: Seconds
    end_s: Seconds
    score: Score
    cause: CauseKind | None = Field(
        None,
        description="The cause that costs most here; null without one, and in results of models before 2.1",
    )


class Cause(_Part):
    """A kind of damage that lowers the score, where it is, and what it costs."""

    kind: CauseKind
    share: Share = Field(description="Share of the speech that has it")
    severity: Annotated[float, Field(ge=0, description="MOS-LQO points that it costs on its own there")]
    from_s: Seconds = Field(description="Beginning of the worst stretch, seconds from the start of the file")
    to_s: Seconds = Field(description="End of the worst stretch")


class Distribution(_Part):
    """The share of the time with each verdict."""

    bad: Share
    poor: Share
    fair: Share
    good: Share
    excellent: Share


class Signal(_Part):
    """Signal statistics; null where they are undefined."""

    level_dbfs: float | None = Field(description="RMS level over the whole recording")
    active_level_dbfs: float | None = Field(
        None, description="Level of the speech without pauses (ITU-T P.56, method B); null without speech"
    )
    peak_dbfs: float | None
    clipped_share: Share = Field(description="Share of the samples in runs at the recording's own peak")
    dc_offset: float | None = Field(None, description="Mean of the samples, full scale 1.0")
    silent_share: Share = Field(description="Share of the time under -70 dBFS")
    speech_share: Share = Field(description="Share of the frames with speech")
    snr_db: float | None = Field(description="Level of speech over pauses; null if either is missing")


class Warning(_Part):
    """A reason to trust the score less, or the reason why there is none."""

    code: WarningCode
    message: str


class Timing(_Part):
    """Seconds that each stage took."""

    decode_s: Seconds
    features_s: Seconds
    model_s: Seconds
    total_s: Seconds


class _Result(_Part):
    schema_version: Literal["1"] = SCHEMA_VERSION
    source: Source

    def to_dict(self) -> dict[str, Any]:
        """The result as the JSON has it: dictionaries, lists, strings, numbers and None."""
        return self.model_dump(mode="json")


class Scored(_Part):
    """The part of a result that depends on the samples only."""

    media: MediaInfo
    model: ModelInfo
    score: Score | None = Field(description="Null where it would be meaningless; a warning says why")
    interval: tuple[Score, Score] | None = Field(description="Contains the true value 9 times out of 10")
    verdict: Verdict | None
    mos: Mos | None = Field(
        None,
        description="Estimate of listeners' mean opinion; null without a score, and in results of models "
        "before 2.1",
    )
    mos_interval: tuple[Mos, Mos] | None = Field(
        None, description="Contains the MOS of the training's labels 9 times out of 10"
    )
    causes: list[Cause] | None = Field(
        None,
        description="Causes of a low score, worst first; empty without damage, null without a score and in "
        "results of models before 2.1",
    )
    frames: Frames | None = Field(description="Null if the request excludes them")
    timeline: list[Segment]
    worst_segment: Segment | None
    distribution: Distribution | None
    signal: Signal
    warnings: list[Warning]
    timing: Timing


class RecordingScores(Scored):
    """The scores of a recording and, on request, of each channel."""

    channels: list[Scored] | None = Field(None, description="Each channel separately, on request")


class Report(RecordingScores, _Result):
    """The result for a recording that could be scored."""

    def to_dataframe(self) -> "pandas.DataFrame":
        """The timeline as a table of pandas.

        Columns: ``file``, ``channel``, ``start_s``, ``end_s``, ``score``, and ``cause``, None where there is
        none. One row for each second of the mix, whose ``channel`` is "mix", then of each channel that was
        scored on its own, by its number as text, counted from 1. Raises SetupError where pandas is not
        installed.
        """
        try:
            import pandas
        except ImportError:
            raise SetupError(
                "A data frame needs the package pandas, which is not installed.", advice="Install it."
            ) from None
        parts = {"mix": self.timeline} | {
            str(number): scored.timeline for number, scored in enumerate(self.channels or [], 1)
        }
        source = self.source
        name = source.file if isinstance(source, FileSource) else f"{source.bucket}/{source.key}"
        rows = [
            (name, channel, segment.start_s, segment.end_s, segment.score, segment.cause)
            for channel, segments in parts.items()
            for segment in segments
        ]
        return pandas.DataFrame(rows, columns=["file", "channel", "start_s", "end_s", "score", "cause"])

    def _repr_html_(self) -> str:
        """The report in a notebook, with the timeline as a drawing."""
        from aqscore.notebook import html_of

        return html_of(self.to_dict())


class ErrorInfo(_Part):
    """The reason why a file could not be scored."""

    type: str
    message: Utf8 = Field(description="What happened, and what was expected")
    advice: str = Field(description="What to do next")
    retryable: bool


class ErrorRecord(_Result):
    """The result for a file that could not be scored."""

    error: ErrorInfo

    @classmethod
    def of(cls, error: AqscoreError, source: Source, *, advice: str | None = None) -> "ErrorRecord":
        """The record of an error. ``advice`` replaces the error's, for layers with advice of their own."""
        return cls(
            source=source,
            error=ErrorInfo(
                type=error.type,
                message=error.message,
                advice=advice or error.advice,
                retryable=isinstance(error, RetryableError),
            ),
        )


def read_document(stored: bytes) -> Report | ErrorRecord:
    """Parses a stored result. Raises pydantic's ValidationError unless it is one of this version."""
    from pydantic import TypeAdapter

    return TypeAdapter(Report | ErrorRecord).validate_json(stored)


def warning(code: WarningCode, **values: float | str) -> Warning:
    """The warning with this code. ``values`` fill in its text."""
    return Warning(code=code, message=WARNINGS[code].format(**values))


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a result: a report or an error record."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(Report | ErrorRecord).json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"aqscore result, version {SCHEMA_VERSION}",
        **schema,
    }


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2))
