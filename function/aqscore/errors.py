"""Everything that can go wrong, in one tree. The branch decides who acts.

AqscoreError
├── PermanentError              the request's or the file's fault: recorded, never retried
│   ├── BadRequest              the event or the call names nothing that could be scored
│   ├── Forbidden               it names what this caller may not have scored
│   ├── NotOffered              this installation doesn't do that
│   ├── ObjectNotFound          the object is not there (any more)
│   ├── EmptyFile               no bytes
│   ├── UnsupportedFormat       not audio that can be decoded here
│   ├── CorruptAudio            it began like audio, and not one sample could be decoded
│   ├── DecoderCrashed          the decoder died of it
│   ├── InvalidSamples          NaN, infinity or absurd values among the samples
│   ├── UnsupportedSampleRate   outside 4 to 384 kHz
│   └── LimitExceeded           more bytes, seconds, channels or memory than the settings allow
│       └── DecodingTooSlow     more time
├── RetryableError              ours: the queue delivers the event again, then keeps it
│   ├── StorageUnavailable      S3 did not do what was asked
│   ├── AnnouncementFailed      the result is stored, and who should be told of it was not
│   ├── OutOfTime               too little of this call's time is left: a later call has more
│   ├── DecoderLost             the decoder was killed from outside, or could not be started
│   └── UnreadableEvent         a message of unknown shape: kept in the dead-letter queue for a person
├── Superseded                  a newer version of the object exists, and its own event brings its result
└── SetupError                  a wrong setting or a wrong model: nothing can be scored until it is mended
"""


class AqscoreError(Exception):
    """Base of all. ``message`` says what happened and what was expected, ``advice`` what to do next."""

    type = "internal_error"
    advice = "Look at the function's log for this request."

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice or type(self).advice


class PermanentError(AqscoreError):
    """Trying again would give the same answer."""


class BadRequest(PermanentError):
    type = "bad_request"
    advice = "See docs/api.md for the shape of a request."


class Forbidden(PermanentError):
    type = "forbidden"
    advice = "Upload the recording to the stack's incoming bucket, or post it."


class NotOffered(PermanentError):
    type = "not_offered"
    advice = "Post the recording itself to /v1/scores, or deploy the stack."


class ObjectNotFound(PermanentError):
    type = "object_not_found"
    advice = "It was deleted before it could be scored. Upload it again to have it scored."


class EmptyFile(PermanentError):
    type = "empty_file"
    advice = "Check what wrote the file, and upload it again."


class UnsupportedFormat(PermanentError):
    type = "unsupported_format"
    advice = "Convert it to WAV, FLAC, MP3, M4A or Ogg (Vorbis or Opus), and upload it again."


class CorruptAudio(PermanentError):
    type = "corrupt_audio"
    advice = "Play the file to see whether it is whole; upload a good copy."


class DecoderCrashed(PermanentError):
    type = "decoder_crashed"
    advice = "Open the file in another program, export it as WAV or FLAC, and upload that."


class InvalidSamples(PermanentError):
    type = "invalid_samples"
    advice = "Export the recording again, as 16-bit PCM if the program can't do better."


class UnsupportedSampleRate(PermanentError):
    type = "unsupported_sample_rate"
    advice = "Resample the recording to 16 kHz or more (8 kHz for telephone speech), and upload it again."


class LimitExceeded(PermanentError):
    type = "limit_exceeded"
    advice = "Split the recording, or raise the limit in the stack's settings."


class DecodingTooSlow(LimitExceeded):
    """Of the same type for whoever reads the record: only the drop folder tells them apart."""


class RetryableError(AqscoreError):
    """Trying again may well succeed."""


class StorageUnavailable(RetryableError):
    type = "storage_unavailable"
    advice = "It is tried again by itself. If it stays, check the function's role and the state of S3."


class AnnouncementFailed(RetryableError):
    type = "announcement_failed"
    advice = (
        "It is tried again by itself. If it stays, look whether the topic or the event bus is still there."
    )


class OutOfTime(RetryableError):
    type = "out_of_time"
    advice = "It is tried again by itself. If it stays, raise the stack's Timeout."


class DecoderLost(RetryableError):
    type = "decoder_lost"
    advice = "It is tried again by itself. If it stays, give the function more memory."


class UnreadableEvent(RetryableError):
    type = "unreadable_event"
    advice = "Find out what sent this message; the queue expects S3 event notifications."


class Superseded(AqscoreError):
    """Not a failure: what was asked for is no longer wanted."""

    type = "superseded"
    advice = "Nothing to do: the newer version has its own result."


class SetupError(AqscoreError):
    """Raised at start-up, before any recording is touched."""

    type = "setup_error"
    advice = "Mend the setting that the message names."
