"""pipeline.py: a report for every recording, with a reason wherever there is no score."""

import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import soxr

from aqscore.audio.recording import Part
from aqscore.audio.worker_pool import default_pool
from aqscore.config import ScorerConfig
from aqscore.deadline import Deadline
from aqscore.errors import (
    CorruptAudio,
    EmptyFile,
    InvalidSamples,
    LimitExceeded,
    OutOfTime,
    UnsupportedFormat,
)
from aqscore.limits import Limits
from aqscore.model.loading import read_model_info
from aqscore.pipeline import ScoreOptions, score_file, score_recording
from aqscore.report import FileSource, Report
from aqscore.scale import HIGHEST, LOWEST
from tests.conftest import EXAMPLES, ROOT
from tests.recordings import titled


def scored(path, config, **options):
    with path.open("rb") as file:
        return score_file(file, config, **options)


def codes(result) -> set[str]:
    return {warning.code for warning in result.warnings}


def test_a_report_is_complete_and_survives_json(config):
    result = scored(EXAMPLES / "noisy.flac", config)
    report = Report(source=FileSource(file="noisy.flac"), **dict(result))
    assert Report.model_validate_json(report.model_dump_json()) == report
    lower, upper = report.interval
    assert LOWEST <= lower <= report.score <= upper <= HIGHEST
    assert len(report.frames.scores) == pytest.approx(6.165 / 0.032, abs=1)
    assert (report.frames.hop_s, report.frames.start_s) == (0.032, 0.024)  # pairs of frames, and their middle
    assert report.timeline[-1].end_s == report.media.duration_s == pytest.approx(6.165, abs=0.001)
    assert 1 <= report.mos_interval[0] <= report.mos <= report.mos_interval[1] <= 5
    assert all(0 < cause.share <= 1 and cause.from_s < cause.to_s <= 6.17 for cause in report.causes)
    assert sum(dict(report.distribution).values()) == pytest.approx(1, abs=1e-3)
    assert report.timing.total_s >= report.timing.model_s > 0


def test_frames_are_left_out_when_not_wanted(config):
    with_frames, without = (scored(EXAMPLES / "clean.flac", config, frames=f) for f in (True, False))
    assert without.frames is None
    assert without.score == with_frames.score
    assert without.timeline == with_frames.timeline


def test_a_channel_can_be_picked(config, recorded, speech):
    path = recorded(np.stack([speech, np.zeros_like(speech)], axis=1))
    assert (
        scored(path, config, part=Part(channel=0)).score == scored(recorded(speech, "mono.wav"), config).score
    )
    assert codes(scored(path, config, part=Part(channel=1))) == {"no_speech"}


def test_the_times_of_a_part_count_from_the_files_beginning(config):
    result = scored(EXAMPLES / "clean.flac", config, part=Part(start_s=1.0, end_s=4.5))
    assert result.media.duration_s == 3.5
    assert (result.timeline[0].start_s, result.timeline[-1].end_s) == (1.0, 4.5)
    assert result.frames.start_s == pytest.approx(1.024)
    assert 1.0 <= result.worst_segment.start_s < result.worst_segment.end_s <= 4.5


@pytest.mark.parametrize("seconds", [0.001, 0.04, 0.3])
def test_too_short_for_a_score(config, recorded, speech, seconds):
    result = scored(recorded(speech[: round(seconds * 16_000)]), config)
    assert "too_short" in codes(result)
    assert (result.score, result.interval, result.verdict, result.frames) == (None,) * 4
    assert (result.mos, result.mos_interval, result.causes) == (None,) * 3
    assert result.timeline == []


def test_digital_silence_is_no_speech(config, recorded):
    result = scored(recorded(np.zeros(48_000, np.float32)), config)
    assert codes(result) == {"no_speech"}
    assert result.score is None
    assert (result.signal.level_dbfs, result.signal.peak_dbfs, result.signal.silent_share) == (
        None,
        None,
        1.0,
    )


def test_warnings_say_what_is_odd(config, recorded, speech):
    assert "clipped" in codes(scored(recorded(np.clip(speech * 8, -1, 1)), config))
    assert "low_level" in codes(scored(recorded(speech * 0.001), config))
    narrow = scored(recorded(speech[::2].copy(), rate=8_000), config)
    assert "narrow_band" in codes(narrow)
    assert narrow.media.bandwidth_hz <= 4_000
    cut = recorded(speech, "cut.wav")
    cut.write_bytes(cut.read_bytes()[:100_000])
    assert "truncated" in codes(scored(cut, config))


@pytest.mark.parametrize(("offset", "warned"), [(0.0, False), (0.0002, False), (0.01, True), (-0.1, True)])
def test_an_offset_is_mentioned_and_moves_no_statistic(config, recorded, speech, offset, warned):
    plain, moved = (scored(recorded(speech + shift, subtype="FLOAT"), config) for shift in (0.0, offset))
    assert ("dc_offset" in codes(moved)) is warned
    assert moved.signal.dc_offset == pytest.approx(plain.signal.dc_offset + offset, abs=1e-5)
    for name in ("level_dbfs", "silent_share", "snr_db"):
        assert getattr(moved.signal, name) == pytest.approx(getattr(plain.signal, name), abs=1.0), name
    assert moved.media.bandwidth_hz == plain.media.bandwidth_hz


def test_minutes_of_silence_do_not_make_speech_quiet(config, recorded, speech):
    quiet = np.concatenate([speech * 0.1, np.zeros(4 * 60 * 16_000, np.float32)])
    result = scored(recorded(quiet), config)
    assert codes(result) == set()
    assert result.signal.level_dbfs < -55 < result.signal.active_level_dbfs


@pytest.mark.parametrize("kind", ["repeated", "interpolated"])
def test_telephone_speech_from_a_bad_resampler_is_narrow(config, recorded, speech, kind):
    low = soxr.resample(speech, 16_000, 8_000)
    at = np.arange(2 * len(low)) / 2
    high = np.repeat(low, 2) if kind == "repeated" else np.interp(at, np.arange(len(low)), low)
    result = scored(recorded(high), config)
    assert "narrow_band" in codes(result)
    assert result.media.bandwidth_hz <= 4_000


@pytest.mark.parametrize("name", ["clean.flac", "noisy.flac"])
def test_the_samples_of_speech_have_nothing_to_warn_of(config, name):
    assert codes(scored(EXAMPLES / name, config)) == set()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", EmptyFile),
        (b"not audio at all", UnsupportedFormat),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", CorruptAudio),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00", UnsupportedFormat),
        (b"\x00" * 10_000, UnsupportedFormat),
    ],
)
def test_what_is_no_recording_is_an_error_of_its_own(config, tmp_path, content, error):
    path = tmp_path / "file.wav"
    path.write_bytes(content)
    with pytest.raises(error) as caught:
        scored(path, config)
    assert caught.value.advice


def test_nan_samples_are_an_error(config, recorded, speech):
    speech = speech.copy()
    speech[100] = np.nan
    with pytest.raises(InvalidSamples):
        scored(recorded(speech, subtype="FLOAT"), config)


def test_limits_are_settings(config):
    with pytest.raises(LimitExceeded):
        scored(EXAMPLES / "clean.flac", ScorerConfig(limits=Limits(max_duration_s=1.0)))


def test_a_long_recording_says_that_its_frames_are_thinned(config, tmp_path, speech):
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 16_000, 1) as file:
        for _ in range(60):
            file.write(speech)
    result = scored(path, config)
    assert "thinned" in codes(result)
    assert result.frames.hop_s == 0.064
    assert "thinned" not in codes(scored(path, config, frames=False))


def test_what_takes_longer_than_there_is_time_stops_by_itself(config):
    with pytest.raises(OutOfTime, match="longer than the time limit of 0 s"):
        scored(EXAMPLES / "clean.flac", config, time_limit_s=0.0)
    assert scored(EXAMPLES / "clean.flac", config, time_limit_s=600.0).score


def test_a_file_in_memory_is_refused_by_name():
    """The decoder reads by descriptor; a BytesIO has none, and says so itself."""
    with pytest.raises(io.UnsupportedOperation):
        score_file(io.BytesIO(b"RIFF"), ScorerConfig())


@pytest.fixture
def hanging(tmp_path, speech, monkeypatch):
    """A file at which the decoder of this process's workers hangs."""
    default_pool.close()  # earlier workers don't have tests/hostile in their path
    monkeypatch.syspath_prepend(ROOT / "tests" / "hostile")
    path = tmp_path / "hanging.wav"
    path.write_bytes(titled("sleep", speech))
    yield path
    default_pool.close()


def test_a_decoder_that_hangs_is_ended_at_the_time_limit(hanging, config):
    """Not at the limit of decoding time, which is far longer."""
    with pytest.raises(OutOfTime, match=r"time limit of 0\.3 s"):
        scored(hanging, config, time_limit_s=0.3)
    with hanging.open("rb") as file, pytest.raises(OutOfTime, match=r"time limit of 0\.3 s"):
        score_recording(file, config, ScoreOptions(), Deadline(0.3))


def test_little_speech_widens_the_interval_as_the_model_says(config, recorded, speech, tmp_path):
    folder = shutil.copytree(config.model_dir, tmp_path / "model")
    info = read_model_info(folder)
    info["interval"]["short_speech"] = {"speech_s": [1.2, 2.0], "factor": [1.5, 1.0]}
    (folder / "model.json").write_text(json.dumps(info))
    config = replace(config, model_dir=folder)
    whole, short = scored(recorded(speech), config), scored(recorded(speech[16_000:32_000]), config)
    assert "little_speech" in codes(short)
    assert "little_speech" not in codes(whole)
    for found, factor in ((whole, 1.0), (short, 1.5)):
        table = info["interval"]
        plain = np.array([np.interp(found.score, table["score"], table[side]) for side in ("lower", "upper")])
        bounds = found.score + factor * (plain - found.score)
        assert found.interval == pytest.approx(np.clip(bounds, LOWEST, HIGHEST), abs=0.011)
