"""Channels from the file to the report: safe mixes, and every channel in one decode."""

import numpy as np
import pytest

from aqscore.audio.array_source import AudioArray
from aqscore.audio.recording import Recording
from aqscore.deadline import Deadline
from aqscore.errors import BadRequest, OutOfTime
from aqscore.pipeline import ScoreOptions, channels_from, score_recording

RATE = 16_000


@pytest.fixture
def score(config):
    def scored(*channels, **options):
        audio = AudioArray(np.stack(channels, axis=1).astype(np.float32), RATE)
        return score_recording(audio, config, ScoreOptions(frames=False, **options))

    return scored


@pytest.fixture
def noisy(speech, rng) -> np.ndarray:
    return speech + 0.02 * rng.standard_normal(len(speech))


def codes(result) -> list[str]:
    return [warning.code for warning in result.warnings]


def test_mono_equals_stereo_of_two_identical_channels(score, speech):
    mono, stereo = score(speech), score(speech, speech)
    assert stereo.score == mono.score
    assert stereo.signal == mono.signal
    assert codes(stereo) == codes(mono) == []
    assert stereo.media.scored_channels == [1, 2]


def test_opposite_polarities_score_as_one_channel_with_a_warning(score, speech):
    found = score(speech, -0.9 * speech)
    assert found.score == score(speech).score
    assert codes(found) == ["channels_cancel"]
    assert found.media.scored_channels == [1]


@pytest.mark.parametrize("floor", [0.0, 2e-5])
def test_a_dead_channel_leaves_score_and_level_alone(score, speech, rng, floor):
    dead = floor * rng.standard_normal(len(speech))
    found, expected = score(dead, speech), score(speech)
    assert (found.score, found.signal.level_dbfs) == (expected.score, expected.signal.level_dbfs)
    assert [w.message for w in found.warnings] == ["Left out of the mix, because silent: channel 1."]


def test_a_channel_that_begins_late_is_part_of_the_mix(score, speech):
    """Longer than the beginning that is decoded ahead, so the mix turns out to be another one."""
    ringing = np.zeros(1 << 20)
    caller, callee = np.concatenate([speech, ringing, speech]), np.concatenate([0 * speech, ringing, speech])
    found = score(caller, callee)
    assert (found.media.scored_channels, codes(found)) == ([1, 2], [])


def test_channels_that_cancel_late_are_found(score, speech):
    silence = np.zeros(1 << 20)
    left = np.concatenate([0.1 * speech, silence, speech, speech])
    right = np.concatenate([0.1 * speech, silence, -0.9 * speech, -0.9 * speech])
    found = score(left, right)
    assert (found.media.scored_channels, codes(found)) == ([1], ["channels_cancel"])


def test_a_noisy_channel_is_named(score, speech, rng):
    quiet, loud = 1e-4 * rng.standard_normal(len(speech)), 0.05 * rng.standard_normal(len(speech))
    found = score(speech + loud, speech + quiet)
    assert codes(found)[0] == "channels_differ"
    assert "Channel 2 is much better than channel 1" in found.warnings[0].message


def test_split_channels_have_the_scores_of_their_own(score, speech, noisy):
    found = score(speech, noisy, channels="split")
    alone = score(speech), score(noisy)
    assert [channel.score for channel in found.channels] == [one.score for one in alone]
    assert [channel.signal for channel in found.channels] == [one.signal for one in alone]
    assert [channel.media.scored_channels for channel in found.channels] == [[1], [2]]
    assert "they score" in found.warnings[0].message
    assert codes(found.channels[0]) == []
    assert found.score == score(speech, noisy).score


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_the_order_of_channels_does_not_matter(score, speech, noisy, order):
    channels = [speech, noisy, np.zeros(len(speech))]
    found = score(*(channels[number] for number in order), channels="split")
    expected = score(*channels, channels="split")
    assert found.score == expected.score
    assert [one.score for one in found.channels] == [expected.channels[number].score for number in order]


def test_split_mono_has_one_channel(score, speech):
    found = score(speech, channels="split")
    assert [one.score for one in found.channels] == [found.score]


def test_all_channels_come_from_one_decode(config, speech, noisy, monkeypatch):
    opened = []
    monkeypatch.setattr(Recording, "__enter__", lambda self: opened.append(self) or self)
    audio = AudioArray(np.stack([speech, noisy, speech, speech], axis=1).astype(np.float32), RATE)
    found = score_recording(audio, config, ScoreOptions(channels="split", frames=False))
    assert (len(opened), len(found.channels)) == (1, 4)


def test_all_channels_share_one_time_limit(config, speech):
    audio = AudioArray(np.stack([speech] * 4, axis=1), RATE)
    with pytest.raises(OutOfTime, match="time limit of 0 s"):
        score_recording(audio, config, ScoreOptions(channels="split"), Deadline(0.0))


def test_a_number_picks_a_channel(score, speech, noisy):
    found = score(speech, noisy, channels=2)
    assert (found.score, found.media.scored_channels) == (score(noisy).score, [2])
    assert found.channels is None
    with pytest.raises(BadRequest, match="channel 3 is not one of them"):
        score(speech, noisy, channels=3)


@pytest.mark.parametrize("text", ["mix", "split", "1", "16"])
def test_channels_are_read_from_text(text):
    assert str(channels_from(text)) == text


@pytest.mark.parametrize("text", ["", "0", "-1", "left", "1.0"])
def test_other_text_is_no_channel(text):
    with pytest.raises(BadRequest, match="expected 'mix', 'split' or the number of a channel"):
        channels_from(text)
