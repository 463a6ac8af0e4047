"""More recordings than there are: a passage recorded otherwise, and the speech in Debian's packages."""

import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf

from tests.unit.training.material import RATE, voice, write
from training.collectors import packaged_speech
from training.corpus.labels import active_level
from training.corpus.references import levelled
from training.corpus.speech import Passage
from training.degradations import rerecording as recording


@pytest.fixture
def passage():
    hiss = 0.01 * np.random.default_rng(3).standard_normal(4 * RATE)  # what a cut of the high tones takes
    return Passage(levelled((voice(4.0, 3) + hiss).astype(np.float32)), ["a/b"], ["f"])


@pytest.mark.parametrize("step", recording.STEPS)
def test_every_step_changes_the_sound_and_leaves_speech(step, passage, monkeypatch):
    monkeypatch.setattr(recording, "STEPS", {step: (1.0, recording.STEPS[step][1])})
    again, done = recording.rerecorded(passage, np.random.default_rng(7))
    assert done == [step]
    assert (again.speakers, again.files) == (passage.speakers, passage.files)
    assert again.samples.dtype == np.float32
    assert np.isfinite(again.samples).all()
    assert np.max(np.abs(again.samples)) < 1
    if step == "speed":
        assert len(again.samples) != len(passage.samples)
        return
    assert len(again.samples) == len(passage.samples)
    assert np.max(np.abs(again.samples - passage.samples)) > 1e-3
    assert np.corrcoef(again.samples, passage.samples)[0, 1] > 0.8  # neither delayed nor wrecked


def test_a_recording_anew_keeps_level_and_is_the_same_for_the_same_seed(passage):
    first, done = recording.rerecorded(passage, np.random.default_rng(11))
    second, _ = recording.rerecorded(passage, np.random.default_rng(11))
    assert done
    assert active_level(first.samples) == pytest.approx(active_level(passage.samples), rel=0.05)
    np.testing.assert_array_equal(first.samples, second.samples)


def test_what_is_taken_from_a_package_is_told_apart_by_who_speaks(tmp_path):
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
