"""Files with defects get a report with a warning or an error record, and no retry."""

import io
from collections.abc import Callable

import numpy as np
import pytest
import soundfile

from aqscore.report import ErrorRecord, Report
from infra.localstack.stack import Stack
from tests.conftest import wav_bytes
from tests.e2e.conftest import wait_until_idle

RATE = 16_000


def mp3(samples: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="MP3")
    return buffer.getvalue()


def flac_with_false_length(samples: np.ndarray) -> bytes:
    """A FLAC file whose header claims 2^36 - 1 samples, 49 days."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="FLAC")
    body = bytearray(buffer.getvalue())
    # STREAMINFO: the count is the last 4 bits of byte 21 and the 4 bytes after it (RFC 9639, 8.2).
    body[21] |= 0x0F
    body[22:26] = b"\xff" * 4
    return bytes(body)


def with_nan(samples: np.ndarray) -> bytes:
    return wav_bytes(np.where(np.arange(len(samples)) == 8_000, np.nan, samples), subtype="FLOAT")


def first_half(body: bytes) -> bytes:
    return body[: len(body) // 2]


# Name -> how it is made of three seconds of speech, and the type of its error.
UNSCORABLE: dict[str, tuple[Callable[[np.ndarray], bytes], str]] = {
    "empty.wav": (lambda speech: b"", "empty_file"),
    "text.wav": (lambda speech: b"The minutes of the meeting.\n" * 40, "unsupported_format"),
    "nan.wav": (with_nan, "invalid_samples"),
    "one-hertz.wav": (lambda speech: wav_bytes(speech, rate=1), "unsupported_sample_rate"),
}
# The same, the code of its warning, and whether it gets a score.
SCORED: dict[str, tuple[Callable[[np.ndarray], bytes], str, bool]] = {
    "truncated.wav": (lambda speech: first_half(wav_bytes(speech)), "truncated", True),
    "truncated.mp3": (lambda speech: first_half(mp3(speech)), "truncated", True),
    "false-length.flac": (flac_with_false_length, "truncated", True),
    "40-ms.wav": (lambda speech: wav_bytes(speech[: RATE * 40 // 1000]), "too_short", False),
    "silence.wav": (lambda speech: wav_bytes(np.zeros_like(speech)), "no_speech", False),
}


@pytest.fixture(scope="module")
def uploaded(stack: Stack, speech: np.ndarray) -> dict[str, str]:
    """Uploads all of them at once: name -> version id."""
    made = UNSCORABLE | SCORED
    return {name: stack.upload(f"bad/{name}", make(speech[: 3 * RATE])) for name, (make, *_) in made.items()}


@pytest.mark.parametrize("name", UNSCORABLE)
def test_an_unscorable_file_gets_an_error_record(stack: Stack, uploaded: dict[str, str], name: str) -> None:
    document = stack.wait_for_result(f"bad/{name}", uploaded[name])
    record = ErrorRecord.model_validate(document)
    assert record.error.type == UNSCORABLE[name][1]
    assert not record.error.retryable
    assert record.error.message
    assert record.error.advice
    answer = stack.s3.head_object(Bucket=stack.results_bucket, Key=f"bad/{name}.error.json")
    assert answer["ContentType"] == "application/json"


@pytest.mark.parametrize("name", SCORED)
def test_a_defective_recording_gets_a_report_with_a_warning(
    stack: Stack, uploaded: dict[str, str], name: str
) -> None:
    report = Report.model_validate(stack.wait_for_result(f"bad/{name}", uploaded[name]))
    _, code, has_score = SCORED[name]
    assert code in {warning.code for warning in report.warnings}
    assert (report.score is not None) == has_score


def test_defective_files_are_not_retried(stack: Stack, uploaded: dict[str, str]) -> None:
    for name, version in uploaded.items():
        stack.wait_for_result(f"bad/{name}", version)
    wait_until_idle(stack)
