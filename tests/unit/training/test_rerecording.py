"""Simulated re-recording of a passage, and the speech in Debian's packages."""

import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf

from tests.unit.training.material import RATE, voice, write
from training.cleaning import levelled
from training.collectors import packaged_speech
from training.degradations import rerecording
from training.levels import active_level


@pytest.fixture
def passage():
    hiss = 0.01 * np.random.default_rng(3).standard_normal(4 * RATE)  # for the low-pass to remove
    return levelled((voice(4.0, 3) + hiss).astype(np.float32))


@pytest.mark.parametrize("step", rerecording.STEPS)
def test_every_step_changes_the_sound_and_leaves_speech(step, passage, monkeypatch):
    monkeypatch.setattr(rerecording, "STEPS", {step: (1.0, rerecording.STEPS[step][1])})
    again, done = rerecording.rerecorded(passage, np.random.default_rng(7))
    assert done == [step]
    assert again.dtype == np.float32
    assert np.isfinite(again).all()
    assert np.max(np.abs(again)) < 1
    assert len(again) == len(passage)
    assert np.max(np.abs(again - passage)) > 1e-3
    assert np.corrcoef(again, passage)[0, 1] > 0.8  # neither delayed nor destroyed


def test_another_voice_is_faster_or_slower(passage):
    lengths = {len(rerecording.other_voice(passage, np.random.default_rng(seed))) for seed in range(5)}
    assert min(lengths) < len(passage) < max(lengths)


def test_rerecording_keeps_the_level_and_depends_on_the_seed_alone(passage):
    first, done = rerecording.rerecorded(passage, np.random.default_rng(11))
    second, _ = rerecording.rerecorded(passage, np.random.default_rng(11))
    assert done
    assert active_level(first) == pytest.approx(active_level(passage), rel=0.05)
    np.testing.assert_array_equal(first, second)


def test_files_of_a_package_are_grouped_by_speaker(tmp_path):
    wanted = {
        "klettres-data": ["usr/share/klettres/de/alpha/a-0.ogg", "usr/share/klettres/fr/syllab/ba.ogg"],
        "tuxpaint-stamps-default": ["stamps/food/fig_desc.ogg", "stamps/food/fig_desc_el.ogg"],
        "hedgewars-data": ["Data/Sounds/voices/Pirate/Ouch.ogg"],
        "asterisk-core-sounds-it-g722": ["asterisk/sounds/it_IT_m_Carlo/digits/1.g722"],
        "kajongg": ["share/kajongg/voices/male1/b1.ogg", "share/kajongg/voices/de/male1/b1.ogg"],
        "qabcs-data": ["qabcs/abcs/pl/sounds/words/kot.ogg", "qabcs/abcs/pl/sounds/alpha/b.ogg"],
        "fillets-ng-data-cs": ["sound/gods/cs/b1-a.ogg", "sound/bank/cs/bank-m-a.ogg", "sound/x/cs/v-a.ogg"],
    }
    others = [
        "stamps/food/fig.ogg",
        "Data/Sounds/voices/Robot/Ouch.ogg",
        "asterisk/sounds/it_IT_m_Carlo/silence/1.g722",
        "qabcs/abcs/all/noises/cow.ogg",
        "sound/bank/cs/bank-x-boo.ogg",
    ]
    for package, names in wanted.items():
        for name in names + others:
            (tmp_path / package / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / package / name).touch()
    found = {package: packaged_speech.recordings(tmp_path / package, package) for package in wanted}
    assert {name: len(files) for group in found.values() for name, files in group.items()} == {
        "klettres-data-de": 1,
        "klettres-data-fr": 1,
        "tuxpaint-stamps-default-en": 1,
        "tuxpaint-stamps-default-el": 1,
        "hedgewars-data-Pirate": 1,
        "asterisk-core-sounds-it-g722-it_IT_m_Carlo": 1,
        "kajongg-male1": 1,
        "kajongg-de-male1": 1,
        "qabcs-data-pl": 2,
        "fillets-ng-data-cs-b1": 1,
        "fillets-ng-data-cs-m": 1,
        "fillets-ng-data-cs-v": 1,
    }


def test_short_recordings_are_joined_and_narrow_or_silent_ones_left_out(tmp_path):
    files = [write(tmp_path / f"{n}.wav", voice(2.5, n) * 0.1 * (n + 1)) for n in range(4)]
    files.insert(1, write(tmp_path / "silent.wav", np.zeros(RATE)))
    narrow = tmp_path / "narrow.wav"
    sf.write(narrow, voice(2.5, 9), 8000)
    joined = list(packaged_speech.joined([narrow, *files]))
    assert [len(samples) for samples in joined] == [3 * 2.5 * RATE, 2.5 * RATE]
    for samples in joined:
        assert active_level(samples) == pytest.approx(10 ** (-26 / 20), rel=0.1)


def test_g722_is_read_at_its_own_rate(tmp_path):
    path = tmp_path / "prompt.g722"
    _write_g722(path, voice(2.0, 1))
    read = packaged_speech.read(path)
    assert len(read) == pytest.approx(2.0 * RATE, abs=400)
    empty = tmp_path / "empty.g722"
    empty.write_bytes(b"\x00" * 16)
    assert packaged_speech.read(empty) is None


def test_without_debian_the_error_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["packaged_speech", "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match="apt-get and dpkg-deb were not found"):
        packaged_speech.main()


def _write_g722(path: Path, samples: np.ndarray) -> None:
    with av.open(str(path), "w", format="g722") as container:
        stream = container.add_stream("g722", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            (samples * 32767).astype(np.int16)[None, :], format="s16", layout="mono"
        )
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
