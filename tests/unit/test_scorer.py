"""scorer.py: the library scores paths, bytes, files and arrays, with one model for many recordings."""

import gzip
import io
import math
import os
import shutil
import sys
import tempfile
import threading

import numpy as np
import pytest
import soundfile

import aqscore
from aqscore import Limits, Report, Scorer, score
from aqscore.audio.worker_pool import default_pool
from aqscore.config import shipped_model
from aqscore.errors import BadRequest, LimitExceeded, ObjectNotFound, OutOfTime, SetupError, UnsupportedFormat
from tests.conftest import EXAMPLES

NOISY = EXAMPLES / "noisy.flac"
CLOSED = io.BytesIO()
CLOSED.close()


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


def test_a_file_of_any_kind_is_scored_from_its_beginning(tmp_path, expected):
    memory = io.BytesIO(NOISY.read_bytes())
    memory.seek(0, io.SEEK_END)
    assert score(memory).score == score(memory).score == expected
    packed = tmp_path / "noisy.flac.gz"
    packed.write_bytes(gzip.compress(NOISY.read_bytes()))
    with gzip.open(packed) as file:
        file.read(1000)
        assert score(file).score == expected
    with tempfile.NamedTemporaryFile() as file:
        file.write(NOISY.read_bytes())  # not flushed
        assert score(file).score == expected


def test_a_path_of_a_pipe_is_scored(tmp_path, expected):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    feeder = threading.Thread(target=lambda: path.write_bytes(NOISY.read_bytes()))
    feeder.start()
    assert score(path).score == expected
    feeder.join()


def test_a_pipe_is_copied_up_to_the_limit_only():
    class Endless:
        taken = 0

        def read(self, count: int) -> bytes:
            self.taken += count
            return bytes(count)

    endless = Endless()
    with pytest.raises(LimitExceeded):
        Scorer(limits=Limits(max_bytes=5_000_000)).score(endless)
    assert endless.taken < 10_000_000


@pytest.mark.parametrize("sent", [b"", b"RIFF"], ids=["nothing", "something"])
@pytest.mark.parametrize("buffering", [0, -1])
def test_the_time_limit_holds_for_a_pipe_that_never_ends(sent, buffering):
    read, write = os.pipe()
    with open(read, "rb", buffering) as end, open(write, "wb", 0) as other_end:  # noqa: PTH123
        other_end.write(sent)
        with pytest.raises(OutOfTime, match=r"time limit of 0\.2 s"):
            score(end, time_limit_s=0.2)


def test_the_time_limit_holds_for_an_object_that_never_ends():
    class Endless:
        def read(self, count: int) -> bytes:
            return b"\0"

    with pytest.raises(OutOfTime, match=r"time limit of 0\.2 s"):
        score(Endless(), time_limit_s=0.2)


def test_modules_in_the_current_folder_are_not_imported_by_the_worker(tmp_path, monkeypatch, expected):
    for name in ("json.py", "soundfile.py"):
        (tmp_path / name).write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    default_pool.close()  # so that new processes are started
    assert score(NOISY).score == expected


def test_bytes_of_a_name_that_are_not_utf8_are_escaped(tmp_path, expected):
    path = os.fsencode(tmp_path) + b"/caf\xe9.flac"
    shutil.copy(NOISY, path)
    report = score(os.fsdecode(path))
    assert report.score == expected
    assert Report.model_validate_json(report.model_dump_json()).source.file.endswith("/caf\\udce9.flac")


@pytest.mark.parametrize(
    "options",
    [
        {"limits": Limits(max_decode_s=math.inf)},
        {"limits": Limits(max_decode_s=math.nan)},
        {"limits": Limits(max_bytes=-1)},
        {"limits": Limits(max_memory_bytes=2.5e8)},
        {"limits": Limits(max_memory_bytes=10**30)},
        {"threads": 0},
        {"runtime": "torch"},
    ],
    ids=str,
)
def test_a_wrong_configuration_is_named(options):
    with pytest.raises(SetupError, match="expected"):
        Scorer(**options)


@pytest.mark.parametrize("limits", [Limits(max_decode_s=1e12), Limits(max_duration_s=1e12)], ids=str)
def test_large_limits_are_no_limits(limits, expected):
    assert Scorer(limits=limits).score(NOISY).score == expected


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_a_damaged_description_of_a_model_is_named(tmp_path, content):
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(SetupError, match="is not the description of a model"):
        Scorer(tmp_path)


def test_a_missing_network_is_named(tmp_path):
    shutil.copy(shipped_model() / "model.json", tmp_path)
    with pytest.raises(SetupError, match=r"model.onnx can't be read"):
        Scorer(tmp_path)


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
        ([0.0] * 16_000, {"sample_rate_hz": 16_000}, BadRequest),
        (np.ma.masked_invalid(np.zeros(16_000)), {"sample_rate_hz": 16_000}, BadRequest),
        ("a\0b", {}, ObjectNotFound),
        (NOISY, {"start_s": 1e308}, BadRequest),
        (CLOSED, {}, BadRequest),
    ],
    ids=[
        "path",
        "letter",
        "no rate",
        "rate of a file",
        "part",
        "channels",
        "text mode",
        "number",
        "list",
        "masked",
        "NUL",
        "far",
        "closed",
    ],
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
