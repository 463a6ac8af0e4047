"""The whole builder on synthetic material: its files, its splits, repetition and resumption."""

import argparse
import json
from typing import ClassVar

import numpy as np
import pytest
import soundfile as sf

from aqscore.causes import CAUSES
from aqscore.model.features import SPEC, frames_of
from tests.unit.training.material import make_sources, voice, write
from training.bands import BANDS
from training.corpus import build as corpus
from training.corpus import sets
from training.corpus import sources as corpus_sources
from training.corpus.causes import CAUSE_OF, SIDE_EFFECTS
from training.corpus.speech import UnlabelledPool
from training.corpus.splits import DEV, TRAIN
from training.levels import active_level
from training.teachers import dnsmos_pro

DEV_SETS = {
    "dev_noise": 3,
    "dev_mixed": 3,
    "dev_clean": 1,
    "dev_pairs": 4,
    "dev_bursts": 2,
    "dev_no_speech": 3,
}
TRAIN_CLIPS = 24


def build(sources, out, workers=1, seed=1, clips=TRAIN_CLIPS):
    settings = {"out": out, "clips": clips, "seed": seed, "workers": workers}
    corpus.build(
        argparse.Namespace(
            **({"screen": None, "min_mos": 3.4, "teacher": [], "unlabelled": []} | sources), **settings
        )
    )
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]


def contents(out):
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.npz"))}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    sources = make_sources(folder / "sources")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "DEV_SETS", DEV_SETS)
        yield sources, folder / "out", build(sources, folder / "out")


def test_every_clip_is_there_once(built):
    _, out, lines = built
    assert {(line["set"], line["clip"]) for line in lines} == {
        (name, f"{index:07d}") for name, index in corpus._jobs(TRAIN_CLIPS)
    }
    assert len(lines) == sum(DEV_SETS.values()) + TRAIN_CLIPS
    assert not list(out.rglob("*.tmp"))
    summary = json.loads((out / "corpus.json").read_text())
    assert summary["finished"]
    assert summary["made"] == {**DEV_SETS, "train": TRAIN_CLIPS}
    assert summary["references"]["read"]["kept"] == 12


def test_the_arrays_are_as_agreed(built):
    _, out, lines = built
    for line in lines:
        with np.load(out / line["set"] / f"{line['clip']}.npz") as arrays:
            count = len(arrays["frames"])
            assert arrays["frames"].dtype == np.float16
            assert arrays["frames"].shape == (count, SPEC.bins)
            assert arrays["frame_scores"].shape == arrays["speech"].shape == (count,)
            assert arrays["reference"].shape == (count, BANDS)
            assert arrays["costs"].shape == (count, len(CAUSES))
            assert arrays["costs"].dtype == np.float16
            assert np.isnan(arrays["mos"]) and arrays["mos"].shape == ()  # no teacher
            assert all(np.isfinite(arrays[name]).all() for name in ("frames", "reference"))
            if line["pesq_wb"] is None:
                assert line["group"] == "no_speech"
                assert np.isnan(arrays["overall"])
                assert not arrays["speech"].any()
                assert not arrays["reference"].any()
                assert np.isnan(arrays["costs"]).all()
            else:
                assert arrays["overall"] == np.float32(line["pesq_wb"])
                assert np.all((arrays["frame_scores"] > 1) & (arrays["frame_scores"] < 4.65))
                assert arrays["speech"].any()
                known = arrays["costs"][np.isfinite(arrays["costs"])]
                assert np.all((known >= 0) & (known < 3.7))
                kinds = {record["kind"] for record in line["degradations"]} - {"clean"}
                possible = {CAUSE_OF[kind] for kind in kinds}.union(*(SIDE_EFFECTS.get(k, ()) for k in kinds))
                others = [number for number, cause in enumerate(CAUSES) if cause not in possible]
                assert not arrays["costs"][:, others].any()


def test_frames_come_from_the_audio_beside_them(built):
    _, out, lines = built
    for line in lines:
        if line["set"] != "train":
            samples = sf.read(out / line["set"] / f"{line['clip']}.flac", dtype="float32")[0]
            with np.load(out / line["set"] / f"{line['clip']}.npz") as arrays:
                np.testing.assert_array_equal(frames_of(samples).astype(np.float16), arrays["frames"])


def test_nothing_leaks_between_the_splits(built):
    _, out, lines = built
    split = json.loads((out / "splits.json").read_text())
    assert (
        set(split["speakers"].values())
        == set(split["noise_kinds"].values())
        == set(split["rooms"].values())
        == {TRAIN, DEV}
    )
    used = {TRAIN: set(), DEV: set()}
    for line in lines:
        side = TRAIN if line["set"] == "train" else DEV
        assert all(split["speakers"][speaker] == side for speaker in line["speakers"])
        assert all(split["noise_kinds"].get(kind, side) == side for kind in line["noise_kinds"])
        rooms = [record["method"] for record in line["degradations"] if record["kind"] == "reverb"]
        assert all(split["rooms"].get(room, side) == side for room in rooms)
        used[side] |= set(line["speech_files"]) | {
            kind for kind in line["noise_kinds"] if kind in split["noise_kinds"]
        }
    assert "anvil" in used[TRAIN]  # from the folder for training only
    assert used[DEV]
    assert not used[TRAIN] & used[DEV]


def test_pairs_differ_by_their_snr_only(built):
    _, _, lines = built
    pairs = {(line["pair"], line["pair_rank"]): line for line in lines if line["set"] == "dev_pairs"}
    for pair in (0, 1):
        worse, better = pairs[pair, 0], pairs[pair, 1]
        assert better["snr_db"] - worse["snr_db"] == pytest.approx(5)
        assert better["speech_files"] == worse["speech_files"]
        assert better["noise_kinds"] == worse["noise_kinds"]
        assert better["pesq_wb"] > worse["pesq_wb"] - 0.02


def test_a_burst_is_worse_than_its_surroundings(built):
    _, out, lines = built
    for line in (line for line in lines if line["set"] == "dev_bursts"):
        scores = np.load(out / "dev_bursts" / f"{line['clip']}.npz")["frame_scores"]
        centres = SPEC.first_centre_s + SPEC.hop_s * np.arange(len(scores))
        inside = (centres >= line["burst"][0] + 0.01) & (centres < line["burst"][1] - 0.01)
        outside = (centres < line["burst"][0] - 0.01) | (centres >= line["burst"][1] + 0.01)
        assert scores[inside].max() <= scores[outside].min() - 1.5


def test_the_same_seed_makes_the_same_clips_with_any_number_of_workers(built, tmp_path, monkeypatch):
    sources, out, _ = built
    fewer = {"dev_noise": 1, "dev_pairs": 1, "dev_no_speech": 1}
    monkeypatch.setattr(corpus, "DEV_SETS", fewer)
    build(sources, tmp_path / "again", workers=2, clips=6)
    again, before = contents(tmp_path / "again"), contents(out)
    assert len(again) == sum(fewer.values()) + 6
    assert again == {name: before[name] for name in again}


def test_it_resumes_after_a_kill(built):
    sources, out, lines = built
    before = contents(out)
    whole = (out / "manifest.jsonl").read_text()
    lost = out / "train" / "0000003.npz"
    lost.unlink()
    kept = {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")}
    (out / "manifest.jsonl").write_text(whole[:-25])
    again = build(sources, out)
    assert sorted(json.dumps(line) for line in again) == sorted(json.dumps(line) for line in lines)
    assert contents(out) == before
    assert sum(path.stat().st_mtime_ns != at for path, at in kept.items()) == 1


class OneProcess:
    """Replaces the pool of spawned processes, which would not see what a test replaces."""

    def __init__(self, workers, initialise, arguments):
        initialise(*arguments)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def imap_unordered(self, function, jobs, chunk):
        return map(function, jobs)


class FakeTeacher:
    heard: ClassVar[list] = []

    def __init__(self, weights):
        self.weights = weights

    def score(self, samples):
        assert self.weights.name == "model_best.pt"
        self.heard.append(samples)
        return 2.0 + float(np.abs(samples).max() > 0)


def test_a_teacher_labels_every_clip_with_speech(built, tmp_path, monkeypatch):
    sources, out, _ = built
    monkeypatch.setattr(corpus, "DEV_SETS", {"dev_noise": 1, "dev_no_speech": 1})
    monkeypatch.setattr(corpus, "_worker", {})
    monkeypatch.setattr(corpus, "spawned", OneProcess)
    monkeypatch.setattr(dnsmos_pro, "DnsmosPro", FakeTeacher)
    (tmp_path / "model_best.pt").touch()
    lines = build(sources | {"teacher": [str(tmp_path / "model_best.pt")]}, tmp_path / "out", clips=3)
    for line in lines:
        path = f"{line['set']}/{line['clip']}.npz"
        with np.load(tmp_path / "out" / path) as arrays, np.load(out / path) as before:
            if line["pesq_wb"] is None:
                assert np.isnan(arrays["mos"])
            else:
                assert arrays["mos"] == np.float32(3.0)
            for name in before.keys() - {"mos"}:  # the teacher changes no other label
                np.testing.assert_array_equal(arrays[name], before[name])
    assert {line["set"] for line in lines} == {"dev_noise", "dev_no_speech", "train"}


def test_only_the_teacher_labels_unlabelled_recordings(built, tmp_path, monkeypatch):
    sources, _, _ = built
    monkeypatch.setattr(corpus, "DEV_SETS", {})
    monkeypatch.setattr(corpus, "_worker", {})
    monkeypatch.setattr(corpus, "spawned", OneProcess)
    monkeypatch.setattr(dnsmos_pro, "DnsmosPro", FakeTeacher)
    monkeypatch.setattr(sets, "UNLABELLED_SHARE", 0.5)
    folder = tmp_path / "voicemail"
    for number in range(4):
        write(folder / f"caller {number}" / "message.wav", 0.02 * voice(5.0, seed=50 + number))
    (tmp_path / "model_best.pt").touch()
    added = {"teacher": [str(tmp_path / "model_best.pt")], "unlabelled": [folder]}
    lines = build(sources | added, tmp_path / "out", clips=16)
    unlabelled = [line for line in lines if line["speakers"] and line["speakers"][0].startswith("voicemail/")]
    assert 4 <= len(unlabelled) <= 12
    assert {line["group"] for line in unlabelled} > {"clean"}  # as they are, and degraded
    for line in unlabelled:
        with np.load(tmp_path / "out" / "train" / f"{line['clip']}.npz") as arrays:
            assert arrays["mos"] == np.float32(3.0)
            assert len(arrays["frames"]) == len(arrays["speech"]) == len(arrays["costs"])
            for name in ("overall", "frame_scores", "costs", "speech"):
                assert np.isnan(arrays[name]).all(), name
        assert line["pesq_wb"] is None
    for samples in FakeTeacher.heard:
        assert active_level(samples) > 0.02


def test_unlabelled_recordings_need_a_teacher_and_leave_out_the_speakers_of_development(built, tmp_path):
    sources, out, _ = built
    with pytest.raises(ValueError, match="without --teacher, expected one"):
        build(sources | {"unlabelled": sources["speech"]}, tmp_path / "out")
    split = json.loads((out / "splits.json").read_text())
    pool = corpus_sources._unlabelled(sources["speech"], split)
    assert {speaker for speaker, name in split["speakers"].items() if name == DEV}
    assert pool._speakers and not {split["speakers"].get(speaker) for speaker in pool._speakers} & {DEV}


def test_silent_and_short_unlabelled_recordings_are_passed_over(tmp_path, rng):
    files = [
        write(tmp_path / f"{name}.wav", samples)
        for name, samples in {
            "silent": np.zeros(32_000),
            "empty": np.zeros(0),
            "short": voice(0.9, 1),
        }.items()
    ]
    pool = UnlabelledPool({"caller": [str(path) for path in files]})
    with pytest.raises(ValueError, match=r"silence or under a second, expected speech: look at .*\.wav"):
        pool.draw(rng, 2.0)
    files.append(write(tmp_path / "speech.wav", voice(3.0, 1)))
    pool = UnlabelledPool({"caller": [str(path) for path in files]})
    assert pool.draw(rng, 2.0).files == [str(files[-1])]


def test_a_missing_teacher_is_an_error_before_any_work(built, tmp_path):
    sources, _, _ = built
    with pytest.raises(ValueError, match="misspelt is no file, expected the file of DNSMOS Pro's weights"):
        build(sources | {"teacher": ["misspelt"]}, tmp_path / "out")
    assert not (tmp_path / "out" / "references.jsonl").exists()


def test_a_corpus_of_an_earlier_version_is_resumed(built, monkeypatch):
    sources, out, lines = built
    monkeypatch.setattr(corpus, "DEV_SETS", DEV_SETS)
    summary = json.loads((out / "corpus.json").read_text())
    del summary["arguments"]["unlabelled"]
    summary["arguments"]["teacher"] = None
    (out / "corpus.json").write_text(json.dumps(summary))
    assert len(build(sources, out)) == len(lines)


def test_another_seed_in_the_same_folder_is_rejected(built):
    sources, out, _ = built
    with pytest.raises(ValueError, match="expected the same seed, folders and teachers"):
        build(sources, out, seed=2)


def test_an_empty_split_is_reported_before_any_clip_is_made(built, tmp_path):
    sources, _, _ = built
    with pytest.raises(ValueError, match="No usable clean speech is left"):
        build({**sources, "speech": sources["speech"][1:]}, tmp_path / "out")


def test_a_speech_folder_without_speech_ends_with_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "empty").mkdir()
    words = f"corpus --speech {tmp_path / 'empty'} --noise {tmp_path} --out {tmp_path / 'out'} --clips 1"
    monkeypatch.setattr("sys.argv", [*words.split(), "--workers", "1"])
    with pytest.raises(SystemExit, match="No audio file was found in .*empty"):
        corpus.main()


def test_only_recordings_that_listeners_would_call_clean_become_references(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "DEV_SETS", {})
    sources = make_sources(tmp_path / "sources")
    files = sorted(path for folder in sources["speech"] for path in folder.rglob("*.flac"))
    table = tmp_path / "mos.csv"
    rows = [f"{file},{4.0 if number % 2 else 2.0}" for number, file in enumerate(files[1:], 1)]
    table.write_text("\n".join(["path,mos", *rows]) + "\n")
    build(sources | {"screen": table}, tmp_path / "out", clips=1)
    lines = (tmp_path / "out" / "references.jsonl").read_text().splitlines()
    assert {json.loads(line)["source"] for line in lines} == {str(file) for file in files[1::2]}
