"""Which split a speaker, a noise kind or a room falls into."""

from pathlib import Path

import pytest

from tests.unit.training.material import voice, write
from training.corpus import splits


def test_st_cmds_names_give_the_speaker(tmp_path):
    corpus = tmp_path / "ST-CMDS-20170001_1-OS"
    for name in ("20170001P00001A0001", "20170001P00001A0002", "20170001P00007I0113"):
        write(corpus / f"{name}.wav", voice(0.2, 1))
    speakers = [splits.speaker_of(corpus, file) for file in splits.audio_files(corpus)]
    assert speakers == [f"{corpus.name}/P00001", f"{corpus.name}/P00001", f"{corpus.name}/P00007"]


def test_any_other_layout_takes_the_folder_for_the_speaker():
    assert (
        splits.speaker_of(Path("a/aishell"), Path("a/aishell/train/S0002/BAC009S0002W0122.wav"))
        == "aishell/S0002"
    )


def test_a_folder_without_audio_is_named_in_the_error(tmp_path):
    (tmp_path / "notes.txt").write_text("no audio here")
    with pytest.raises(ValueError, match=f"No audio file was found in {tmp_path}.*expected"):
        splits.audio_files(tmp_path)


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("moodist/light-rain.flac", "rain"),
        ("noice/light-rain-0.flac", "rain"),
        ("esc-10/rain-07.flac", "rain"),
        ("moodist/train.flac", "train"),
        ("moodist/wind-chimes.flac", "chimes"),
        ("noice/soft-wind-1.flac", "wind"),
        ("moodist/windshield-wipers.flac", "windshield-wipers"),
        ("esc-10/dog-bark-03.flac", "dog"),
        ("ESC-10/001 - Dog bark/1-30226-A.ogg", "dog"),
        ("ESC-50/chainsaw/1-116765-A-41.wav", "chainsaw"),
        ("moodist/sea_waves 2.wav", "sea"),
    ],
)
def test_a_sound_has_one_kind_whatever_the_set_calls_it(file, kind):
    assert splits.kind_of(Path(file)) == kind


def test_a_nameless_noise_is_an_error():
    with pytest.raises(ValueError, match="name the file"):
        splits.kind_of(Path("01/0002.wav"))


def test_speakers_are_split_by_corpus_and_small_or_synthetic_corpora_only_train():
    speakers = {
        "big": [f"big/{n}" for n in range(40)],
        "few": ["few/a", "few/b"],
        "made": [f"made/{n}" for n in range(40)],
    }
    split = splits.split_speakers(speakers, {"made"}, seed=1)
    dev = [name for name, side in split.items() if side == splits.DEV]
    assert len(dev) == 6
    assert all(name.startswith("big/") for name in dev)
    assert len(split) == 82


def test_every_family_of_noise_is_in_development():
    kinds = [
        "traffic",
        "street",
        "cafe",
        "crowd",
        "ceiling-fan",
        "chainsaw",
        "rain",
        "wind",
        "owl",
        "frog",
        "library",
        "office",
    ]
    split = splits.split_kinds([*kinds, "white-noise"], seed=3)
    dev = {splits.family_of(kind) for kind, side in split.items() if side == splits.DEV}
    assert dev == {"street", "voices", "machine", "nature", "other", "rooms"}
    assert split["white-noise"] == splits.TRAIN


def test_a_split_depends_on_the_seed_alone():
    kinds = [f"kind-{letter}" for letter in "abcdefghijklmnop"]
    assert splits.split_kinds(kinds, 1) == splits.split_kinds(kinds[::-1], 1)
    assert splits.split_kinds(kinds, 1) != splits.split_kinds(kinds, 2)
