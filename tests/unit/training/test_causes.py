"""Labels of causes: the cost of each degradation alone, by frame; and the score of a teacher."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest

from aqscore.causes import CAUSES
from aqscore.model.features import SPEC, frame_count
from tests.unit.training.material import RATE, voice
from training.corpus import clips, labels, mixtures, sets
from training.corpus.causes import CAUSE_OF, SIDE_EFFECTS, costs_of
from training.corpus.mixtures import COMBINED, Pools, Version, degraded
from training.corpus.speech import Passage
from training.degradations import DEGRADATIONS
from training.levels import USUAL_DBFS, active_level, at_level

SPEECH = voice(3, 5)


class WhiteNoise:
    """Replaces a pool of noise files."""

    def draw(self, generator, length):
        return generator.standard_normal(length).astype(np.float32), ["white-noise"], {}


NOISE = {"kind": "noise", "snr_db": 20.0}
POOLS = Pools(None, WhiteNoise(), ())


class FakeTeacher:
    """Scores by the level alone, and keeps what it was given."""

    def __init__(self):
        self.given = []

    def score(self, samples):
        self.given.append(samples)
        return 1.0 + 10 * active_level(samples)


def cost(labelled, kind):
    return labelled[..., CAUSES.index(kind)]


def made(monkeypatch, recipe, teacher=None):
    """The train clip of a recipe, which no generator changes."""
    monkeypatch.setitem(sets.RECIPES, "train", lambda generator, pools, index: recipe)
    return clips.make_clip(1, "train", 0, POOLS, teacher)


def noisy(seed=0, gain=0.02):
    noise = np.random.default_rng(seed).standard_normal(len(SPEECH))
    return (SPEECH + gain * noise).astype(np.float32)


def test_every_degradation_stands_for_a_cause_and_every_cause_has_one():
    assert CAUSE_OF.keys() == DEGRADATIONS.keys()
    assert set(CAUSE_OF.values()) == set(CAUSES)
    assert SIDE_EFFECTS.keys() <= DEGRADATIONS.keys()
    for kind, effects in SIDE_EFFECTS.items():
        assert set(effects) <= set(CAUSES) - {CAUSE_OF[kind]}


def test_a_version_without_degradations_has_no_causes():
    np.testing.assert_array_equal(costs_of([], []), np.zeros(len(CAUSES), np.float32))


@pytest.mark.parametrize("kind", list(DEGRADATIONS))
def test_a_degradation_costs_what_it_costs_and_its_side_effects_are_unknown(kind):
    labelled = costs_of([kind], [1.25])
    assert labelled.dtype == np.float32
    for place, cause in enumerate(CAUSES):
        if cause in SIDE_EFFECTS.get(kind, ()):
            assert np.isnan(labelled[place])
        else:
            assert labelled[place] == (1.25 if cause == CAUSE_OF[kind] else 0.0)


def test_an_unknown_cost_is_no_number():
    labelled = costs_of(["mnru", "clipping"], [None, 0.5])
    assert np.isnan(cost(labelled, "coding"))
    assert cost(labelled, "clipping") == 0.5


def test_a_known_cost_replaces_a_side_effect_in_any_order():
    for kinds in (["noise", "suppression"], ["suppression", "noise"]):
        labelled = costs_of(kinds, [{"noise": 0.75, "suppression": 1.5}[kind] for kind in kinds])
        assert cost(labelled, "noise") == 0.75
        assert cost(labelled, "suppression") == 1.5


def test_of_two_degradations_with_one_cause_the_dearer_counts():
    assert cost(costs_of(["mnru", "codec"], [1.5, 0.5]), "coding") == 1.5
    assert cost(costs_of(["mnru", "codec"], [0.5, 1.5]), "coding") == 1.5
    assert cost(costs_of(["mnru"], [-0.01]), "coding") == 0.0


@pytest.mark.parametrize("seed", range(4))
def test_each_of_several_degradations_is_also_applied_alone_with_the_same_draws(seed, monkeypatch):
    applied = []

    def recorded(samples, kind, severity, generator, pools):
        before = copy.deepcopy(generator)
        version = degraded(samples, kind, severity, generator, pools)
        applied.append((kind, severity, before, version))
        return version

    monkeypatch.setattr(mixtures, "degraded", recorded)
    version = mixtures._combined(SPEECH, 0.7, np.random.default_rng(seed), POOLS)
    chain, alone = applied[::2], applied[1::2]
    assert len(version.alone) == len(version.records) == len(chain) >= 2
    for (kind, severity, before, _), (again, same, _, _), samples in zip(
        chain, alone, version.alone, strict=True
    ):
        assert (kind, severity) == (again, same)
        expected = degraded(SPEECH, kind, severity, before, POOLS).samples
        np.testing.assert_array_equal(samples, expected)
    np.testing.assert_array_equal(version.samples, chain[-1][3].samples)


def test_what_is_applied_alone_does_not_change_the_draws_of_the_whole(monkeypatch):
    whole = mixtures._combined(SPEECH, 0.7, np.random.default_rng(3), POOLS)
    monkeypatch.setattr(mixtures, "copy", SimpleNamespace(deepcopy=lambda _: np.random.default_rng(0)))
    again = mixtures._combined(SPEECH, 0.7, np.random.default_rng(3), POOLS)
    np.testing.assert_array_equal(whole.samples, again.samples)
    assert whole.records == again.records


def test_a_single_degradation_costs_the_distance_of_its_score_from_the_best(monkeypatch):
    version = Version(noisy(), [NOISE])
    clip = made(monkeypatch, sets.ClipRecipe(Passage(SPEECH, ["s"], ["f"]), version))
    count = len(clip.arrays["frames"])
    costs = clip.arrays["costs"]
    assert (costs.shape, costs.dtype) == ((count, len(CAUSES)), np.float16)
    expected = labels.PERFECT - clip.arrays["overall"]
    assert expected > 1
    np.testing.assert_allclose(cost(costs, "noise"), expected, rtol=1e-3)
    np.testing.assert_array_equal(np.delete(costs, CAUSES.index("noise"), axis=1), 0)


def test_several_degradations_cost_what_each_costs_alone(monkeypatch):
    slightly, heavily = noisy(1, 0.001), np.clip(SPEECH, -0.02, 0.02)
    both = np.clip(slightly, -0.02, 0.02)
    version = Version(both, [NOISE, {"kind": "clipping"}], [slightly, heavily])
    assert version.group == COMBINED
    costs = made(monkeypatch, sets.ClipRecipe(Passage(SPEECH, ["s"], ["f"]), version)).arrays["costs"]
    alone = [labels.PERFECT - labels.pesq_wb(SPEECH, samples) for samples in (slightly, heavily)]
    assert abs(alone[0] - alone[1]) > 0.2
    np.testing.assert_allclose(cost(costs, "noise"), alone[0], rtol=1e-3)
    np.testing.assert_allclose(cost(costs, "clipping"), alone[1], rtol=1e-3)


@pytest.mark.parametrize("worse_inside", [True, False])
def test_the_costs_follow_the_intervals_of_a_spliced_clip(monkeypatch, worse_inside):
    clean = Version(SPEECH)
    worse = Version(noisy(), [{"kind": "suppression"}])
    base, other = (clean, worse) if worse_inside else (worse, clean)
    intervals = ((0.5, 1.1), (1.8, 2.2))
    recipe = sets.ClipRecipe(Passage(SPEECH, ["s"], ["f"]), base, other, intervals, worse)
    costs = made(monkeypatch, recipe).arrays["costs"]
    centres = SPEC.first_centre_s + SPEC.hop_s * np.arange(len(costs))
    inside = np.any([(centres >= start) & (centres < end) for start, end in intervals], axis=0)
    has_it = inside == worse_inside
    expected = labels.PERFECT - labels.pesq_wb(SPEECH, worse.samples)
    np.testing.assert_allclose(cost(costs, "suppression")[has_it], expected, rtol=1e-3)
    assert np.isnan(cost(costs, "noise")[has_it]).all()
    np.testing.assert_array_equal(costs[~has_it], 0)


def test_clips_without_speech_have_neither_costs_nor_a_teachers_score(monkeypatch):
    version = Version(noisy(), [{"kind": "no_speech", "method": "file"}])
    teacher = FakeTeacher()
    clip = made(monkeypatch, sets.ClipRecipe(None, version), teacher)
    assert clip.arrays["costs"].shape == (frame_count(len(SPEECH)), len(CAUSES))
    assert np.isnan(clip.arrays["costs"]).all() and np.isnan(clip.arrays["mos"])
    assert not teacher.given


def test_the_teacher_gets_every_clip_at_the_usual_level(monkeypatch):
    recipe = sets.ClipRecipe(Passage(SPEECH, ["s"], ["f"]), Version(noisy(gain=0.002), [NOISE]))
    monkeypatch.setattr(clips, "LEVEL_SPREAD_DB", 0.0)
    teacher, made_clips = FakeTeacher(), []
    for level in (-20.0, -40.0):
        monkeypatch.setattr(clips, "LEVEL_DBFS", level)
        made_clips.append(made(monkeypatch, recipe, teacher))
    levels = [20 * np.log10(active_level(clip.samples)) for clip in made_clips]
    assert levels == pytest.approx([-20, -40], abs=0.1)
    loud, soft = teacher.given
    np.testing.assert_allclose(loud, soft, atol=5e-4)  # the steps of 16 bits are larger in a soft clip
    scores = [float(clip.arrays["mos"]) for clip in made_clips]
    assert scores == pytest.approx([1.0 + 10 ** (1 + USUAL_DBFS / 20)] * 2, abs=0.01)
    assert made_clips[0].arrays["mos"].dtype == np.float32


def test_without_a_teacher_the_label_is_no_number(monkeypatch):
    clip = made(monkeypatch, sets.ClipRecipe(Passage(SPEECH, ["s"], ["f"]), Version(SPEECH)))
    assert np.isnan(clip.arrays["mos"])


def test_a_level_is_reached_and_peaks_stop_at_full_scale():
    assert 20 * np.log10(active_level(at_level(0.01 * SPEECH))) == pytest.approx(-26, abs=0.01)
    loud = at_level(SPEECH, 0.0)
    assert loud.dtype == np.float32
    assert np.max(np.abs(loud)) == 1.0
    assert not at_level(np.zeros(RATE, np.float32)).any()
