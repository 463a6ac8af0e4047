"""Labels: the clip's PESQ, scores by time, speech activity, and the denoising target."""

import numpy as np
import pytest

from aqscore.model.features import SPEC, frame_count, frames_of
from tests.unit.training.material import RATE, voice
from training.bands import BANDS, band_matrix
from training.corpus import clips, labels, sets
from training.corpus.mixtures import Version
from training.corpus.speech import Passage


def test_bands_are_weighted_means_that_cover_the_spectrum():
    matrix = band_matrix()
    assert matrix.shape == (SPEC.bins, BANDS)
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix.sum(axis=0), 1, rtol=1e-5)
    assert np.all(matrix[1:-1].sum(axis=1) > 0)
    assert np.all(np.diff(np.argmax(matrix, axis=0)) > 0)


def test_pesq_of_a_signal_with_itself_is_the_top_of_the_scale():
    samples = voice(3, 1)
    assert labels.pesq_wb(samples, samples) == pytest.approx(labels.PERFECT, abs=1e-4)


@pytest.mark.parametrize(
    ("reference", "degraded"),
    [
        (np.zeros(3 * RATE, np.float32), np.zeros(3 * RATE, np.float32)),
        (voice(3, 1), np.zeros(3 * RATE, np.float32)),
        (voice(0.1, 1), voice(0.1, 1)),
    ],
    ids=["silence", "lost", "too short"],
)
def test_pesq_without_an_answer_is_none(reference, degraded):
    assert labels.pesq_wb(reference, degraded) is None


def test_a_splice_is_output_inside_its_intervals_only():
    base, other = np.zeros(RATE, np.float32), np.ones(RATE, np.float32)
    output = labels.splice(base, other, [(0.25, 0.5), (0.75, 0.8)])
    at = np.arange(RATE) / RATE
    edge = labels.CROSSFADE / RATE
    inside = ((at > 0.25 + edge) & (at < 0.5 - edge)) | ((at > 0.75 + edge) & (at < 0.8 - edge))
    outside = (at < 0.25 - edge) | ((at > 0.5 + edge) & (at < 0.75 - edge)) | (at > 0.8 + edge)
    np.testing.assert_allclose(output[inside], 1, rtol=1e-5)
    np.testing.assert_array_equal(output[outside], 0)
    assert np.max(np.abs(np.diff(output))) < 2 / labels.CROSSFADE


def test_a_frame_has_the_score_of_the_version_at_its_centre():
    count = frame_count(RATE)
    scores = labels.of_version(count, 4.5, 1.5, [(0.25, 0.5)])
    centres = SPEC.first_centre_s + SPEC.hop_s * np.arange(count)
    inside = (centres >= 0.25) & (centres < 0.5)
    np.testing.assert_array_equal(scores, np.where(inside, 1.5, 4.5).astype(np.float32))
    base, other = np.array([0.0, 1.0, np.nan]), np.array([2.0, np.nan, 0.5])
    several = labels.of_version(count, base, other, [(0.25, 0.5)])
    assert several.dtype == np.float32
    np.testing.assert_array_equal(several, np.where(inside[:, None], other, base))


def test_activity_is_off_in_pauses_and_on_in_speech():
    samples = voice(4, 2)
    padded = np.concatenate([np.zeros(RATE, np.float32), samples, np.zeros(RATE, np.float32)])
    activity = labels.speech_activity(padded)
    assert len(activity) == frame_count(len(padded))
    per_second = round(1 / SPEC.hop_s)
    assert not activity[: per_second - 2].any()
    assert not activity[-per_second + 5 :].any()
    assert 0.4 < activity[per_second:-per_second].mean() < 0.95
    assert not labels.speech_activity(np.zeros(RATE, np.float32)).any()


def test_the_target_of_an_undisturbed_clip_is_its_own_frames():
    reference = voice(3, 3)
    frames = frames_of(0.3 * reference)
    target = labels.band_target(reference, 0.3 * reference, frames)
    assert target.shape == (len(frames), BANDS)
    np.testing.assert_allclose(target, frames @ band_matrix(), rtol=5e-3, atol=1e-3)


def test_the_target_in_noise_is_the_speech_alone_on_the_clips_scale(rng):
    reference = voice(3, 3)
    output = (0.5 * reference + 0.05 * rng.standard_normal(len(reference))).astype(np.float32)
    frames = frames_of(output)
    target = labels.band_target(reference, output, frames).astype(np.float32)
    loudest = np.argmax(target[:, 10])
    assert target[loudest, 10] == pytest.approx((frames[loudest] @ band_matrix())[10], rel=0.15)
    quietest = np.argmin(labels.speech_activity(reference))
    assert target[quietest].max() < 0.1 * (frames[quietest] @ band_matrix()).max()


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_clip_without_a_pesq_score_is_drawn_again_and_counted(value, monkeypatch):
    """Silence has none; a degradation of a program may write NaN into part of its output."""
    drawn = []

    def recipe(generator, pools, index):
        drawn.append(index)
        speech = voice(3, 4)
        spoilt = np.full_like(speech, 0.0) if value == 0 else speech.copy()
        spoilt[RATE : RATE + 100] = value
        return sets.ClipRecipe(Passage(speech, ["s"], ["f"]), Version(speech if len(drawn) > 2 else spoilt))

    monkeypatch.setitem(sets.RECIPES, "train", recipe)
    clip = clips.make_clip(1, "train", 7, pools=None)
    assert clip.record["redraws"] == 2
    assert clip.record["clip"] == "0000007"
    assert clip.arrays["overall"] > 4.5
