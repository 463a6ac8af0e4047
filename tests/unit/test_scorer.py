"""scorer.py: the library scores paths, bytes, files and arrays, with one model for many recordings."""

import io
import os
import threading

import numpy as np
import pytest
import soundfile

import aqscore
from aqscore import Limits, Scorer, score
from aqscore.config import shipped_model
from aqscore.errors import BadRequest, LimitExceeded, ObjectNotFound, OutOfTime, SetupError, UnsupportedFormat
from tests.conftest import EXAMPLES

NOISY = EXAMPLES / "noisy.flac"


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return soundfile.read(NOISY, dtype="float32")[0]


@pytest.fixture(scope="module")
def expected() -> float:
    return score(NOISY).score


def test_a_path_is_scored_and_named(expected):
    report = score(str(NOISY))
    assert report.score == expected
    assert report.source.file == str(NOISY)
    assert report.verdict and report.frames.scores


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_score_as_their_file_does(kind, expected):
    assert score(kind(NOISY.read_bytes())).score == expected


def test_an_open_file_is_scored_from_its_beginning(expected):
    with NOISY.open("rb") as file:
        file.read(100)
        assert score(file).score == expected


def test_a_file_in_memory_and_a_pipe_are_scored(expected):
    assert score(io.BytesIO(NOISY.read_bytes())).score == expected
    read, write = os.pipe()

    def feed() -> None:
        with open(write, "wb") as end:  # noqa: PTH123
            end.write(NOISY.read_bytes())

    feeder = threading.Thread(target=feed)
    feeder.start()
    with open(read, "rb") as end:  # noqa: PTH123
        report = score(end)
    feeder.join()
    assert report.score == expected


def test_an_array_scores_as_its_file_does(samples, expected):
    report = score(samples, sample_rate_hz=16_000)
    assert report.score == pytest.approx(expected, abs=1e-3)
    assert (report.media.container, report.media.channels) == ("ARRAY", 1)


def test_the_channels_of_an_array_are_scored_apart(samples):
    silent = np.zeros_like(samples)
    report = score(np.stack([samples, silent], axis=1), sample_rate_hz=16_000, channels="split", frames=False)
    assert report.media.channels == 2
    assert [channel.score is None for channel in report.channels] == [False, True]


def test_options_reach_the_pipeline():
    report = score(NOISY, start_s=1.0, end_s=3.0, frames=False)
    assert report.frames is None
    assert report.media.duration_s == 2.0
    with pytest.raises(OutOfTime):
        score(NOISY, time_limit_s=0.0)


def test_a_scorer_takes_a_model_and_limits():
    scorer = Scorer(shipped_model(), limits=Limits(max_duration_s=1.0))
    with pytest.raises(LimitExceeded):
        scorer.score(NOISY)


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(SetupError, match="There is no model in"):
        Scorer(tmp_path)


@pytest.mark.parametrize(
    ("source", "options", "error"),
    [
        ("no such file.wav", {}, ObjectNotFound),
        (b"A letter and no recording.", {}, UnsupportedFormat),
        (np.zeros(16_000, np.float32), {}, BadRequest),
        (NOISY, {"sample_rate_hz": 16_000}, BadRequest),
        (NOISY, {"start_s": 2.0, "end_s": 1.0}, BadRequest),
        (NOISY, {"channels": "all"}, BadRequest),
        (io.StringIO("text"), {}, BadRequest),
        (42, {}, BadRequest),
    ],
    ids=["path", "letter", "no rate", "rate of a file", "part", "channels", "text mode", "number"],
)
def test_a_wrong_call_raises_a_typed_error_with_advice(source, options, error):
    with pytest.raises(error) as raised:
        score(source, **options)
    assert isinstance(raised.value, aqscore.AqscoreError)
    assert raised.value.message and raised.value.advice


def test_the_face_of_the_library_is_complete():
    for name in aqscore.__all__:
        assert getattr(aqscore, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        aqscore.nothing  # noqa: B018
