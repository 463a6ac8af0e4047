"""Advice on errors for users and operators of the stack: in error records and in the log."""

from aqscore.errors import (
    AnnouncementFailed,
    AqscoreError,
    AttemptLost,
    CorruptAudio,
    DecoderCrashed,
    DecoderLost,
    DecodingTooSlow,
    EmptyFile,
    InvalidSamples,
    LimitExceeded,
    ObjectArchived,
    ObjectNotFound,
    ObjectUnreadable,
    OutOfTime,
    ScoringTooSlow,
    SetupError,
    StorageUnavailable,
    UnreadableEvent,
    UnsupportedFormat,
    UnsupportedSampleRate,
    advice_for,
)

ADVICE: dict[type[AqscoreError], str] = {
    ObjectNotFound: "The object was deleted before it could be scored. Upload it again to have it scored.",
    ObjectArchived: "Restore it (aws s3api restore-object). It is scored when S3 has restored it.",
    ObjectUnreadable: "Check the version id. If it is encrypted with a key of yours (SSE-C), "
    "upload it again with SSE-S3 or SSE-KMS.",
    EmptyFile: "Check the program that wrote the file, and upload the file again.",
    UnsupportedFormat: "Convert the recording to WAV, FLAC, MP3, M4A or Ogg (Vorbis or Opus), and upload it.",
    CorruptAudio: "Play the file to check that it is complete, and upload an intact copy.",
    DecoderCrashed: "Open the recording in another program, export it as WAV or FLAC, and upload that file.",
    InvalidSamples: "Export the recording again, as 16-bit PCM if possible, and upload it.",
    UnsupportedSampleRate: "Resample it to 16 kHz or more (8 kHz for telephone speech), and upload it.",
    LimitExceeded: "Split the recording, or raise the function's limit (docs/operations.md, Limits).",
    DecodingTooSlow: "Split the recording, or raise the stack's Timeout: decoding may take half of it.",
    ScoringTooSlow: "Split the recording, or raise the stack's Timeout or MemorySize (CPU grows with it).",
    StorageUnavailable: "Check the function's role, the bucket's policy, the KMS key, and S3.",
    AnnouncementFailed: "Check the topic or the event bus.",
    OutOfTime: "Raise the stack's Timeout.",
    DecoderLost: "Raise the stack's MemorySize.",
    AttemptLost: "Find the cause in the function's log. If it ended for want of memory or time, "
    "raise the stack's MemorySize or Timeout.",
    UnreadableEvent: "Find the sender of the event: the queue expects event notifications of S3.",
    SetupError: "Correct the setting that the message names, and deploy the stack again.",
}


def advice_in_aws(error: AqscoreError) -> str:
    """The advice on an error in the stack."""
    return advice_for(error, ADVICE)
