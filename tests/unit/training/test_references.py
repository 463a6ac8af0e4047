"""References: the noise floor is removed, speech is kept, unusable recordings are rejected with a reason."""

import numpy as np
import pytest

from tests.unit.training.material import RATE, voice, write
from training.cleaning import LEVEL_DBFS, clean, floor_db
from training.collectors import synthesize
from training.corpus.labels import pesq_wb
from training.corpus.noise_pool import NoisePool
from training.corpus.references import Reference, load_prepared, prepare, read_audio
from training.corpus.speech import SpeechPool
from training.degradations.bandwidth import filtered
from training.levels import active_level


def prepared(tmp_path, samples):
    source = write(tmp_path / "corpus" / "s" / "a.flac", samples)
    return prepare(source, "corpus", "corpus/s", tmp_path / "cache" / "a.flac")


def with_floor(speech: np.ndarray, level_db: float, rng: np.random.Generator) -> np.ndarray:
    """The speech with white noise at a level relative to it."""
    noise = rng.standard_normal(len(speech)).astype(np.float32)
    return speech + np.float32(active_level(speech) * 10 ** (level_db / 20)) * noise


def test_cleaning_removes_the_floor_and_keeps_the_speech(rng):
    speech = voice(5, 6)
    noisy = with_floor(speech, -35, rng)
    cleaned = clean(noisy, words=True)
    assert floor_db(noisy) > -40
    assert floor_db(cleaned) < -60
    assert pesq_wb(speech, cleaned) > pesq_wb(speech, noisy) + 0.3


def test_a_floor_that_the_words_mask_is_removed_from_the_pauses_only(rng):
    speech = voice(5, 6)
    noisy = with_floor(speech, -40, rng)
    cleaned = clean(noisy, words=False)
    loud = np.abs(speech) > 0.1 * np.abs(speech).max()
    np.testing.assert_allclose(cleaned[loud], noisy[loud], rtol=1e-5)
    assert floor_db(cleaned) < floor_db(noisy) - 20


def test_a_kept_reference_is_levelled_and_cached(tmp_path):
    reference = prepared(tmp_path, 0.2 * voice(4, 7))
    assert reference.rejected == ""
    assert reference.floor_after_db <= -50
    assert 20 * np.log10(active_level(load_prepared(reference.path))) == pytest.approx(LEVEL_DBFS, abs=0.2)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda x, rng: np.clip(4 * x, -0.5, 0.5), "clipped"),
        (lambda x, rng: np.r_[x[:4000], np.zeros(3 * RATE, np.float32)], "too little speech"),
        (lambda x, rng: x + 0.05 * rng.standard_normal(len(x)), "noisy"),
        (lambda x, rng: filtered(x, None, 3400.0), "narrow band"),
    ],
)
def test_an_unusable_recording_has_a_reason(tmp_path, rng, damage, reason):
    assert prepared(tmp_path, damage(voice(4, 8), rng)).rejected == reason


def test_an_unreadable_file_is_named(tmp_path):
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF nothing more")
    with pytest.raises(ValueError, match=r"broken\.wav can't be read.*expected audio"):
        read_audio(path)


def test_a_split_without_speech_says_so():
    with pytest.raises(ValueError, match="No usable clean speech.*expected some"):
        SpeechPool([], set(), by_speakers=True)


@pytest.mark.parametrize(("by_speakers", "share"), [(True, 3 / 4), (False, 1 / 4)])
def test_a_corpus_is_drawn_by_the_root_of_its_speakers_or_of_its_hours(tmp_path, by_speakers, share):
    path = write(tmp_path / "a.flac", voice(2, 8))
    cleaned = dict(floor_before_db=-60.0, floor_after_db=-60.0, bandwidth_hz=8e3, pesq=None, rejected="")
    references = [
        Reference(corpus, f"{corpus}/{speaker}", f"{speaker}/{file}", str(path), seconds, **cleaned)
        for corpus, speakers, files, seconds in (("many", 9, 1, 1.0), ("long", 1, 9, 9.0))
        for speaker in range(speakers)
        for file in range(files)
    ]
    pool = SpeechPool(references, set(), by_speakers=by_speakers)
    generator = np.random.default_rng(0)
    drawn = [pool.draw(generator, 1.0).speakers[0] for _ in range(300)]
    assert np.mean([speaker.startswith("many") for speaker in drawn]) == pytest.approx(share, abs=0.07)


def test_a_split_without_noise_says_so():
    with pytest.raises(ValueError, match="dev split has no noise without talk.*expected some"):
        NoisePool({"cafe": ("cafe.flac",)}, None, "dev")


def test_without_a_synthesiser_the_error_names_some(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["synthesize", "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match="No speech synthesiser.*espeak-ng"):
        synthesize.main()
