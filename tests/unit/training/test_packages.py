"""Noise in Debian's packages: selection by name, repetition of short sounds, use in training only."""

import sys

import numpy as np
import pytest

from tests.unit.training.material import RATE, write
from training.collectors import packaged_noise
from training.corpus.noise_pool import NoisePool
from training.corpus.sources import make_splits
from training.corpus.splits import DEV, TRAIN, TRAIN_ONLY_MARK

KINDS = ("rain", "wind", "owl", "drill", "ceiling-fan", "cow", "crow", "saw", "thunder", "fire")


@pytest.fixture
def noise(rng):
    return 0.1 * rng.standard_normal(RATE)


def test_names_of_voices_music_and_development_kinds_are_left_out(tmp_path):
    for name in (
        "games/x/sounds/axe-1.ogg",
        "games/x/sounds/axe-2.ogg",
        "games/x/sounds/Door_Open.wav",
        "games/x/sounds/007.ogg",
        "games/x/sounds/axe.png",
        "games/x/sounds/frog-2.ogg",
        "games/x/sounds/keyboard.ogg",
        "games/x/sounds/man/hello.ogg",
        "games/x/voices/ready.ogg",
        "games/x/music/march.ogg",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = packaged_noise.sounds(tmp_path)
    assert {kind: [file.name for file in files] for kind, files in found.items()} == {
        "axe": ["axe-1.ogg", "axe-2.ogg"],
        "door-open": ["Door_Open.wav"],
    }


def test_unusable_files_are_not_read(tmp_path, noise):
    (tmp_path / "broken.ogg").write_bytes(b"OggS and no more")
    assert packaged_noise.read(tmp_path / "broken.ogg") is None
    assert packaged_noise.read(write(tmp_path / "silent.wav", np.zeros(RATE))) is None
    read = packaged_noise.read(write(tmp_path / "loud.wav", 9 * noise))
    assert np.sqrt(np.mean(read**2)) == pytest.approx(0.05, rel=0.01)


def test_short_sounds_are_repeated_with_pauses(rng):
    click = np.ones(160, np.float32)
    often = packaged_noise.filled([click], rng)
    assert len(often) >= packaged_noise.MIN_S * RATE
    assert 0 < np.mean(often == 0) < 1
    long = np.ones(20 * RATE, np.float32)
    np.testing.assert_array_equal(packaged_noise.filled([long], rng), long)
    assert len(packaged_noise.filled([long, long], rng)) == packaged_noise.MAX_S * RATE


def test_marked_noise_is_for_training_only_and_moves_no_kind(tmp_path, noise):
    for kind in KINDS:
        write(tmp_path / "recorded" / f"{kind}.flac", noise)
    alone = make_splits([], set(), [tmp_path / "recorded"], [], seed=1)
    held_out = [kind for kind, side in alone["noise_kinds"].items() if side == DEV]
    assert held_out
    for kind in ("anvil", "owl", *held_out):
        write(tmp_path / "packaged" / "game" / f"{kind}-2.flac", noise)
    (tmp_path / "packaged" / TRAIN_ONLY_MARK).touch()
    both = make_splits([], set(), [tmp_path / "recorded", tmp_path / "packaged"], [], seed=1)
    assert both["noise_kinds"] == alone["noise_kinds"] | {"anvil": TRAIN}
    assert both["noise_files"] == alone["noise_files"]
    assert set(both["train_only_noise_files"]) == {"anvil", "owl"} - set(held_out)


def test_half_of_the_kinds_drawn_are_marked_ones(tmp_path, rng, noise):
    recorded, packaged = (str(write(tmp_path / f"{name}.flac", noise)) for name in ("rain", "anvil"))
    pool = NoisePool({"rain": (recorded,)}, None, TRAIN, {"anvil": (packaged,)})
    drawn = [pool.one_kind(rng, 100)[1] for _ in range(200)]
    assert 70 < drawn.count("anvil") < 130
    assert set(drawn) == {"anvil", "rain"}


def test_without_debian_the_error_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["packaged_noise", "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match="apt-get and dpkg-deb were not found"):
        packaged_noise.main()
