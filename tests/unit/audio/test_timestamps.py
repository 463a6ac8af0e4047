"""Gaps between the timestamps of a container become silence, and one of several audio tracks is scored."""

import io
import math
import tempfile
from collections.abc import Callable

import av
import numpy as np
import pytest

from aqscore.audio.decoders.timestamps import MAX_GAP_S, Timestamps
from aqscore.audio.part import Part
from aqscore.errors import BadRequest, UnsupportedFormat
from aqscore.pipeline import ScoreOptions, score_recording
from infra.encoders import by_ffmpeg, by_libsndfile
from tests.unit.audio.decoding import RATE, decoded, frequency, tone

CONTAINERS = {
    "webm": ("webm", "libopus", 48_000),
    "mka": ("matroska", "aac", RATE),
    "m4a": ("mp4", "aac", RATE),
}


def shifted(name: str, samples: np.ndarray, shift_s: Callable[[float], float | None]) -> bytes:
    """A file whose packets are so much later by their own time; None drops a packet."""
    container, codec, rate = CONTAINERS[name]
    buffer = io.BytesIO()
    with (
        av.open(io.BytesIO(by_ffmpeg(samples, container, codec, rate=rate))) as source,
        av.open(buffer, "w", format=container) as output,
    ):
        track = output.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is None:
                continue
            later_s = shift_s(float(packet.pts * packet.time_base))
            if later_s is not None:
                packet.pts += round(later_s / packet.time_base)
                packet.dts += round(later_s / packet.time_base)
                packet.stream = track
                output.mux(packet)
    return buffer.getvalue()


def speech_like(name: str, seconds: float) -> np.ndarray:
    return tone(seconds, 440, CONTAINERS[name][2])


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_gap_is_silence_where_it_lies(name):
    data = shifted(name, speech_like(name, 6), lambda at: 3.0 if at >= 2 else 0.0)
    samples, media = decoded(data)
    assert media.duration_s == pytest.approx(9, abs=0.1)
    assert media.findings.gaps_s == media.findings.longest_gap_s == pytest.approx(3, abs=0.05)
    assert np.abs(samples[round(2.2 * RATE) : round(4.8 * RATE)]).max() == 0
    assert frequency(samples[round(5.2 * RATE) :]) == pytest.approx(440, abs=1)
    assert not media.truncated


@pytest.mark.parametrize("name", CONTAINERS)
def test_packets_that_were_not_sent_are_silence(name):
    data = shifted(name, speech_like(name, 6), lambda at: None if 2 <= at < 5 else 0.0)
    samples, media = decoded(data)
    assert media.duration_s == pytest.approx(6, abs=0.1)
    assert media.findings.longest_gap_s == pytest.approx(3, abs=0.1)
    assert np.abs(samples[round(2.3 * RATE) : round(4.7 * RATE)]).max() == 0
    assert not media.truncated


@pytest.mark.parametrize("name", CONTAINERS)
def test_sound_that_begins_late_has_silence_in_front(name):
    samples, media = decoded(shifted(name, speech_like(name, 4), lambda at: 5.0))
    assert media.duration_s == pytest.approx(9, abs=0.1)
    assert np.abs(samples[: round(4.8 * RATE)]).max() == 0
    assert not media.truncated


@pytest.mark.parametrize("name", CONTAINERS)
def test_an_intact_file_has_no_gaps(name):
    media = decoded(shifted(name, speech_like(name, 4), lambda at: 0.0))[1]
    assert (media.findings.gaps_s, media.truncated) == (0, False)
    assert media.duration_s == pytest.approx(4, abs=0.1)


def gaps(
    starts_s: list[float | None], duration_s: float = 0.02, stated_s: float | None = None
) -> list[float]:
    timestamps = Timestamps(stated_s)
    return [round(timestamps.gap_before(start, duration_s), 6) for start in starts_s]


def test_rounding_and_the_drift_of_a_clock_are_no_gaps():
    assert not any(gaps([0.0, 0.021, 0.039, 0.061, 0.08]))
    assert not any(gaps([at * 0.0201 for at in range(10_000)]))


def test_jitter_costs_no_more_than_its_amplitude():
    late = [at * 0.02 + (0.015 if at % 2 else 0.0) for at in range(1_000)]
    assert sum(gaps(late)) <= 0.03


def test_lost_packets_are_counted_one_by_one():
    starts = [at * 0.02 for at in range(1_000) if at % 10]
    assert sum(gaps(starts)) == pytest.approx(0.02 * 99, abs=0.03)


def test_timestamps_that_begin_again_or_leap_are_a_new_beginning():
    assert not any(gaps([0.0, 0.02, 0.04, 0.0, 0.02]))
    assert not any(gaps([0.0, 0.02, 2 * MAX_GAP_S, 2 * MAX_GAP_S + 0.02]))
    assert not any(gaps([0.0, None, None]))


@pytest.mark.parametrize(("stated_s", "gap"), [(None, 0.0), (10.0, 0.0), (4_000.0, 3_600.0)])
def test_a_piece_of_a_broadcast_begins_with_its_first_sample(stated_s, gap):
    assert gaps([3_600.0, 3_600.02], stated_s=stated_s) == [gap, 0.0]


def with_tracks(
    flags: list[bool], tones: list[float | None], codecs: list[str] | None = None, rate: int = RATE
) -> bytes:
    """A Matroska file with a track for each tone in Hz; None is silence. ``flags`` mark the default ones."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        tracks = [
            output.add_stream(codec, rate=rate, layout="mono") for codec in codecs or ["aac"] * len(tones)
        ]
        for track, flag in zip(tracks, flags, strict=True):
            track.disposition = av.stream.Disposition.default if flag else av.stream.Disposition(0)
        for track in tracks:
            track.codec_context.open()
        for track, hz in zip(tracks, tones, strict=True):
            sound = tone(2, hz, rate) if hz else np.zeros(2 * rate, np.float32)
            size = track.codec_context.frame_size
            for start in range(0, 2 * rate, size):
                frame = av.AudioFrame.from_ndarray(sound[None, start : start + size], "fltp", "mono")
                frame.sample_rate, frame.pts = rate, start
                output.mux(track.encode(frame))
        for track in tracks:
            output.mux(track.encode(None))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("flags", "tones", "chosen"),
    [
        ([True, False, False], [440, 880, 660], 0),
        ([False, True, False], [440, 880, 660], 1),
        ([False, False, False], [440, 880, 660], 0),
        ([False, False, False], [None, None, 660], 2),
        ([True, True, True], [None, 880, 660], 1),
        ([False, True, False], [440, None, 660], 1),
        ([False, False], [None, None], 0),
    ],
)
def test_the_default_track_is_scored_or_else_the_first_with_sound(flags, tones, chosen):
    samples, media = decoded(with_tracks(flags, tones))
    assert (media.track, media.tracks) == (chosen, len(tones))
    assert not media.truncated
    if tones[chosen]:
        assert frequency(samples) == pytest.approx(tones[chosen], abs=2)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_track_can_be_picked(number):
    samples, media = decoded(with_tracks([True, False, False], [440, 880, 660]), Part(track=number))
    assert (media.track, media.tracks) == (number, 3)
    assert frequency(samples) == pytest.approx([440, 880, 660][number], abs=2)


def test_a_track_that_is_not_there_is_a_bad_request():
    with pytest.raises(BadRequest, match="has 2 audio tracks, track 3 is not one of them"):
        decoded(with_tracks([True, False], [440, 880]), Part(track=2))
    with pytest.raises(BadRequest, match="has 1 audio track, track 2 is not one of them"):
        decoded(by_libsndfile(tone(1, 440), "WAV", "PCM_16"), Part(track=1))
    assert decoded(by_libsndfile(tone(1, 440), "WAV", "PCM_16"), Part(track=0))[1].tracks == 1


def test_a_track_of_a_codec_that_is_not_read_is_passed_over_or_named():
    data = with_tracks([True, False], [440, 880], ["ac3", "aac"], rate=32_000)
    samples, media = decoded(data)
    assert (media.track, media.tracks) == (1, 2)
    assert frequency(samples) == pytest.approx(880, abs=2)
    with pytest.raises(UnsupportedFormat, match="is ac3"):
        decoded(data, Part(track=0))


def test_the_end_of_the_last_frame_is_known():
    timestamps = Timestamps(None)
    assert timestamps.end_s == -math.inf
    timestamps.gap_before(1.0, 0.5)
    assert timestamps.end_s == 1.5


def test_the_report_says_which_track_was_scored(config):
    with tempfile.TemporaryFile() as file:
        file.write(with_tracks([True, False], [440, 880]))
        report = score_recording(file, config, ScoreOptions(track=2))
    assert (report.media.tracks, report.media.track) == (2, 2)
    assert "several_tracks" in [warning.code for warning in report.warnings]


def test_tracks_are_counted_from_one():
    with pytest.raises(BadRequest, match="track is 0, expected the number of an audio track, from 1"):
        ScoreOptions(track=0)
