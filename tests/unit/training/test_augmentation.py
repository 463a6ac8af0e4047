"""Augmentation changes a clip's frames and keeps its labels in step."""

import numpy as np
import pytest

from aqscore.causes import CAUSES
from training.bands import BANDS
from training.network import augmentation
from training.network.augmentation import CUT_FRAMES, augmented, warp


@pytest.fixture
def clip(rng):
    return {
        "frames": rng.random((50, 257)).astype(np.float32),
        "overall": np.float32(2.5),
        "mos": np.float32(3.5),
        "frame_scores": np.full(50, 2.5, np.float32),
        "costs": np.arange(50 * len(CAUSES), dtype=np.float32).reshape(50, len(CAUSES)),
        "speech": np.ones(50, np.float32),
        "reference": rng.random((50, BANDS)).astype(np.float32),
    }


def test_arrays_stay_in_step_and_scores_stay(clip, rng):
    lengths, speech_frames = set(), set()
    for _ in range(60):
        changed = augmented(clip, rng)
        count = len(changed["frames"])
        lengths.add(count)
        assert all(len(changed[name]) == count for name in clip.keys() - {"overall", "mos"})
        assert all(changed[name].dtype == np.float32 for name in changed)
        assert changed["overall"] == clip["overall"] and changed["mos"] == clip["mos"]
        speech_frames.add(np.count_nonzero(changed["speech"]))
        assert np.count_nonzero(np.isfinite(changed["frame_scores"])) == np.count_nonzero(changed["speech"])
        spoken = changed["speech"] > 0
        np.testing.assert_array_equal(changed["costs"][spoken], clip["costs"][-np.count_nonzero(spoken) :])
        assert np.isnan(changed["costs"][~spoken]).all()
        assert np.isfinite(changed["frames"]).all() and (changed["frames"] >= 0).all()
    assert max(lengths) > 50, "no clip got silence around it"
    assert speech_frames == set(range(50 - CUT_FRAMES, 51)), "some numbers of frames were never cut off"


def test_the_clip_that_was_given_is_not_touched(clip, rng):
    before = {name: values.copy() for name, values in clip.items()}
    augmented(clip, rng)
    for name, values in before.items():
        np.testing.assert_array_equal(clip[name], values)


def test_music_beside_the_clip_shares_its_level(clip, rng, monkeypatch):
    monkeypatch.setattr(augmentation, "SOUND_SHARE", 1.0)
    monkeypatch.setattr(augmentation, "SILENCE_SHARE", 0.0)
    changed = [augmented(clip, rng) for _ in range(20)]
    for each in changed:
        magnitude = np.sqrt(np.mean(np.square(each["frames"]), axis=1))
        assert np.sum(magnitude**2) / np.sum(magnitude) == pytest.approx(1.0, abs=1e-3)
        beside = each["speech"] == 0
        assert beside.any() and np.isnan(each["frame_scores"][beside]).all()
        assert np.isfinite(each["frame_scores"][~beside]).all()
        assert np.isnan(each["costs"][beside]).all()
        assert np.isfinite(each["costs"][~beside]).all()
    levels = [np.median(each["frames"][each["speech"] == 1]) for each in changed]
    assert max(levels) > 2 * min(levels), "the clip's level never changed"


def test_rumble_touches_the_lowest_bins_of_sounding_frames_alone(clip, rng, monkeypatch):
    for name in ("WARP_SHARE", "SILENCE_SHARE", "SOUND_SHARE"):
        monkeypatch.setattr(augmentation, name, 0.0)
    clip["frames"][20:30] = 0
    state = rng.bit_generator.state
    shares = {}
    for share in (0.0, 1.0):
        rng.bit_generator.state = state
        monkeypatch.setattr(augmentation, "RUMBLE_SHARE", share)
        shares[share] = augmented(clip, rng)["frames"]
    added = shares[1.0] - shares[0.0]
    sounding = shares[0.0].any(axis=1)
    assert np.all(added[sounding, :3] > 0)
    assert not added[~sounding].any() and not added[:, 3:].any()


def test_warping_moves_a_tone_by_the_factor(clip):
    clip["frames"][:] = 0
    clip["frames"][:, 110] = 1
    warp(clip, 1.1)
    assert clip["frames"].argmax(axis=1).tolist() == [100] * 50


def test_warping_by_one_changes_nothing(clip):
    frames, reference = clip["frames"].copy(), clip["reference"].copy()
    warp(clip, 1.0)
    np.testing.assert_allclose(clip["frames"], frames, atol=1e-5)
    np.testing.assert_allclose(clip["reference"], reference, atol=1e-5)
