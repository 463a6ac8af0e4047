"""All errors of aqscore, in one tree. The branch says whether a retry can help.

AqscoreError
├── PermanentError              the same request fails again: recorded, never retried
│   ├── BadRequest              the call or the event names nothing that can be scored
│   ├── Forbidden               the caller may not have this object scored
│   ├── NotOffered              this installation has no such function
│   ├── ObjectNotFound          the recording doesn't exist
│   ├── ObjectArchived          the recording must be restored from its archive first
│   ├── ObjectUnreadable        the storage can't return the recording: its owner holds the key
│   ├── EmptyFile               no bytes
│   ├── UnsupportedFormat       no audio that can be decoded
│   ├── CorruptAudio            an audio file of which no sample can be decoded
│   ├── DecoderCrashed          the recording crashes the decoder
│   ├── InvalidSamples          NaN, infinity or absurd values among the samples
│   ├── UnsupportedSampleRate   outside the limits, by default 4 to 384 kHz
│   └── LimitExceeded           more bytes, seconds, channels or memory than the limits allow
│       ├── DecodingTooSlow     more decoding time
│       └── ScoringTooSlow      more time than a call ever has
├── RetryableError              a fault of the environment: a retry may succeed
│   ├── StorageUnavailable      a request to S3 failed
│   ├── AnnouncementFailed      the result is stored, but its notification failed
│   ├── OutOfTime               the time limit is too short
│   ├── DecoderLost             the decoder worker was killed, or could not be started
│   ├── Busy                    as many recordings are scored as there may be at once
│   ├── AttemptLost             the process that scored the recording ended without an answer
│   ├── ScorerLost              the scorer worker was killed, or could not be started
│   └── UnreadableEvent         an event of unknown shape: kept for a person, not dropped
├── Superseded                  a newer version of the object exists, and has its own event
└── SetupError                  a wrong setting or model: nothing can be scored until it is corrected

Every error has an advice: what to do next. The default of its type is for callers of the library. Code that
raises an error may give a more specific one. The layers above the library have advice of their own by error
type (aqscore.aws.advice, aqscore.http.problems). ``advice_for`` holds the order of these three.
"""

from collections.abc import Mapping


class AqscoreError(Exception):
    """Base of all errors. ``message`` says what happened and what was expected, ``advice`` what to do next.

    ``type`` is the error's stable code in results, logs and HTTP responses.
    """

    type = "internal_error"
    advice = "Report this as a bug, with the log and, if possible, the recording."

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.own_advice = advice
        self.advice = advice or type(self).advice


def advice_for(error: AqscoreError, by_type: Mapping[type[AqscoreError], str]) -> str:
    """The advice on an error in a layer that has advice by error type.

    That given where the error was raised comes first, then the layer's for the most specific type, then the
    default of the error's type.
    """
    if error.own_advice:
        return error.own_advice
    return next((by_type[kind] for kind in type(error).__mro__ if kind in by_type), error.advice)


class PermanentError(AqscoreError):
    """A retry would fail in the same way."""


class BadRequest(PermanentError):
    type = "bad_request"
    advice = "Check the arguments of the call."


class Forbidden(PermanentError):
    type = "forbidden"
    advice = "Name an object that may be scored."


class NotOffered(PermanentError):
    type = "not_offered"
    advice = "Pass the recording itself."


class ObjectNotFound(PermanentError):
    type = "object_not_found"
    advice = "Check the name, and that the recording still exists."


class ObjectArchived(PermanentError):
    type = "object_archived"
    advice = "Restore the recording from its archive, and try again."


class ObjectUnreadable(PermanentError):
    type = "object_unreadable"
    advice = "Check the version, and how the recording is encrypted."


class EmptyFile(PermanentError):
    type = "empty_file"
    advice = "Check the program that wrote the file."


class UnsupportedFormat(PermanentError):
    type = "unsupported_format"
    advice = "Convert the recording to WAV, FLAC, MP3, M4A or Ogg (Vorbis or Opus)."


class CorruptAudio(PermanentError):
    type = "corrupt_audio"
    advice = "Play the file to check that it is complete, and use an intact copy."


class DecoderCrashed(PermanentError):
    type = "decoder_crashed"
    advice = "Open the recording in another program, and export it as WAV or FLAC."


class InvalidSamples(PermanentError):
    type = "invalid_samples"
    advice = "Export the recording again, as 16-bit PCM if possible."


class UnsupportedSampleRate(PermanentError):
    type = "unsupported_sample_rate"
    advice = "Resample the recording to 16 kHz or more (8 kHz for telephone speech)."


class LimitExceeded(PermanentError):
    type = "limit_exceeded"
    advice = "Split the recording, or raise the limit."


class DecodingTooSlow(LimitExceeded):
    """Has the type of its base: results and responses don't distinguish the two."""


class ScoringTooSlow(LimitExceeded):
    """Has the type of its base, as DecodingTooSlow."""


class RetryableError(AqscoreError):
    """A retry may succeed."""


class StorageUnavailable(RetryableError):
    type = "storage_unavailable"
    advice = "Try again. If the error persists, check the access to the storage."


class AnnouncementFailed(RetryableError):
    type = "announcement_failed"
    advice = "Try again. If the error persists, check that the receiver of notifications exists."


class OutOfTime(RetryableError):
    type = "out_of_time"
    advice = "Try again with a longer time limit."


class Busy(RetryableError):
    type = "busy"
    advice = "Try again a little later."


class DecoderLost(RetryableError):
    type = "decoder_lost"
    advice = "Try again. If the error persists, provide more memory."


class ScorerLost(RetryableError):
    type = "scorer_lost"
    advice = "Try again. If the error persists, use fewer jobs, or provide more memory."


class AttemptLost(RetryableError):
    type = "attempt_lost"
    advice = "Try again. If the error persists, provide more memory."


class UnreadableEvent(RetryableError):
    type = "unreadable_event"
    advice = "Check the sender of the event."


class Superseded(AqscoreError):
    """Not a failure: the requested version is no longer needed."""

    type = "superseded"
    advice = "Nothing to do: the newer version has its own result."


class SetupError(AqscoreError):
    """Raised at start-up, before any recording is opened."""

    type = "setup_error"
    advice = "Correct the setting or the model that the message names."
