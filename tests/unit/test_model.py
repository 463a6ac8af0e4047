"""model.py: two runtimes that agree, windows that don't show, and a model that is what it claims to be."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from aqscore.config import ScorerConfig
from aqscore.errors import SetupError
from aqscore.model.features import SPEC, frames_of
from aqscore.model.loading import Model, load_model
from aqscore.model.pooling import FrameScores
from aqscore.model.runtimes import NETWORKS, OnnxNetwork
from aqscore.model.windows import FIRST_EDGE, LAST_EDGE, SILENT_FRAMES, ScoreStream, Window
from tests.conftest import ROOT

FOLDER = ScorerConfig().model_dir


@pytest.fixture(scope="module")
def onnx() -> Model:
    return Model(FOLDER, "onnx")


@pytest.fixture(scope="module")
def tensorflow() -> Model:
    return Model(FOLDER, "tensorflow")


@pytest.fixture
def copy(tmp_path):
    """A copy of the shipped model that a test may spoil."""
    return shutil.copytree(FOLDER, tmp_path / "model")


def assert_same_but_for_edges(windows: list[Window], frames: np.ndarray) -> None:
    """The windows have every frame in its place; those at the edges of silence around are silent."""
    given = np.concatenate([window.frames for window in windows])
    assert given.shape == frames.shape
    sound = np.flatnonzero(frames.any(axis=1))
    edges = [*sound[:FIRST_EDGE], *sound[-LAST_EDGE:]]
    changed = np.flatnonzero((given != frames).any(axis=1))
    assert set(changed) <= set(edges)
    assert not given[changed].any()


def overall(model: Model, frames: np.ndarray, block: int) -> tuple[float, np.ndarray]:
    stream = model.stream()
    windows = [w for at in range(0, len(frames), block) for w in stream.push(frames[at : at + block])]
    windows += stream.finish()
    assert_same_but_for_edges(windows, frames)
    score, weight = (np.concatenate([getattr(w.scores, f) for w in windows]) for f in ("score", "weight"))
    return FrameScores(score, weight, weight).overall(model.power), score


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("frames", [1, 2, 3, 31, 384, 1_000])
def test_tensorflow_and_onnx_agree_to_1e_4(onnx, tensorflow, speech, frames):
    looped = np.tile(frames_of(speech), (3, 1))[:frames]
    for ours, theirs in zip(onnx.network(looped), tensorflow.network(looped), strict=True):
        assert ours.shape == (frames,)
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning:keras")
def test_no_layer_of_the_network_is_idle(speech, rng):
    """Convolutions that let nothing through were shipped, and paid for, in 1.1.0 to 1.3.0."""
    import keras
    import tensorflow as tf

    network = keras.models.load_model(FOLDER / "model.keras", compile=False)
    heard = tf.function(lambda frames: network(frames, training=False))
    noisy = speech + 0.02 * rng.standard_normal(len(speech)).astype(np.float32)
    frames = frames_of(np.concatenate([speech, noisy]))[None, :250]
    whole = heard(frames)
    idle = []
    layers = [
        part for layer in network.layers for part in (layer.layers if hasattr(layer, "layers") else [layer])
    ]
    for layer in layers:
        if weights := layer.get_weights():
            layer.set_weights([np.zeros_like(weight) for weight in weights])
            without = heard(frames)
            layer.set_weights(weights)
            if all(np.allclose(without[name], whole[name], atol=1e-3) for name in whole):
                idle.append(layer.name)
    assert idle == []


def test_windows_do_not_show_in_the_result(onnx, speech, rng):
    """A recording of two minutes whose quality changes, in windows and whole."""
    noisy = speech + 0.02 * rng.standard_normal(len(speech)).astype(np.float32)
    frames = frames_of(np.concatenate([speech, noisy] * 10))
    whole = onnx.network(frames)
    expected = whole.overall(onnx.power)
    for block in (1, 500, len(frames)):
        result, _ = overall(onnx, frames, block)
        assert result == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("block", [1, 7, 30, 1_000])
def test_every_frame_is_scored_with_its_whole_context_on_both_sides(rng, block):
    """A stand-in for the network looks exactly as far as the context reaches, no nearer."""
    context = 8

    def network(frames: np.ndarray) -> FrameScores:
        level = frames.mean(axis=1)
        around = np.convolve(level, np.ones(2 * context + 1), "full")[context:-context].astype(np.float32)
        return FrameScores(around, around, around)

    frames = rng.random((100, SPEC.bins)).astype(np.float32)
    stream = ScoreStream(network, frames=20, context=context)
    windows = [w for at in range(0, 100, block) for w in stream.push(frames[at : at + block])]
    windows += stream.finish()
    scores = np.concatenate([window.scores.score for window in windows])
    np.testing.assert_allclose(scores, network(frames).score, rtol=1e-5)


def test_scores_do_not_depend_on_how_the_frames_arrive(onnx, speech):
    frames = np.tile(frames_of(speech), (12, 1))
    (first, scores), (second, other_scores) = overall(onnx, frames, 173), overall(onnx, frames, 4_000)
    assert first == second
    np.testing.assert_array_equal(scores, other_scores)


@pytest.mark.parametrize("block", [1, 7, 50, 1_000])
def test_of_digital_silence_the_network_hears_little_and_every_frame_gets_its_scores(rng, block):
    heard = []

    def network(frames: np.ndarray) -> FrameScores:
        heard.append(frames.any(axis=1))
        return FrameScores(*np.tile(frames.sum(axis=1), (3, 1)))

    frames = rng.random((300, SPEC.bins)).astype(np.float32)
    for silence in (slice(0, 60), slice(100, 110), slice(130, 200), slice(270, 300)):
        frames[silence] = 0
    stream = ScoreStream(network, frames=40, context=20)
    windows = [w for at in range(0, 300, block) for w in stream.push(frames[at : at + block])]
    windows += stream.finish()
    assert_same_but_for_edges(windows, frames)
    scores, weights, speech = (
        np.concatenate(each) for each in zip(*(w.scores for w in windows), strict=True)
    )
    expected = frames.sum(axis=1)
    unheard = [slice(0, 61), slice(130 + SILENT_FRAMES, 200), slice(268, 300)]
    for silence, beside in zip(unheard, (61, 200, 267), strict=True):
        expected[silence] = expected[beside]
        assert weights[silence].max() < 1e-6
        assert speech[silence].max() == 0
    np.testing.assert_array_equal(scores, expected)
    assert heard[0][0] and heard[-1][-1]
    pauses = [
        len(pause) for each in heard for pause in "".join(" x"[int(sound)] for sound in each).split("x")
    ]
    assert max(pauses) == SILENT_FRAMES


def test_pauses_between_words_are_heard_whole(onnx, speech):
    """Cleaned recordings have digital silence there, and so had those that the network learned from."""
    words = speech.copy()
    words[len(words) // 3 :][: round(0.9 * SPEC.sample_rate_hz)] = 0
    frames = frames_of(words)
    assert overall(onnx, frames, 173)[0] == pytest.approx(onnx.network(frames).overall(onnx.power), abs=1e-4)


def test_silence_around_a_recording_changes_next_to_nothing(onnx, speech, rng):
    """Even where the noise begins and ends with the recording, so that silence makes an edge."""
    noisy = speech + 0.01 * rng.standard_normal(len(speech)).astype(np.float32)
    silence = np.zeros(10 * SPEC.sample_rate_hz, np.float32)
    alone, _ = overall(onnx, frames_of(noisy), 173)
    around, _ = overall(onnx, frames_of(np.concatenate([silence, noisy, silence])), 173)
    assert around == pytest.approx(alone, abs=0.05)


def test_a_recording_of_silence_alone_has_all_its_frames(onnx):
    stream = onnx.stream()
    silence = np.zeros((5_000, SPEC.bins), np.float32)
    windows = stream.push(silence[:10]) + stream.push(silence[10:]) + stream.finish()
    assert sum(len(window.frames) for window in windows) == 5_000


def test_no_frames_no_windows(onnx):
    stream = onnx.stream()
    assert stream.push(np.empty((0, SPEC.bins), np.float32)) == stream.finish() == []


def test_outputs_are_in_range(onnx, rng):
    scores = onnx.network(rng.exponential(3, (200, SPEC.bins)).astype(np.float32))
    assert scores.score.min() >= 1.04 and scores.score.max() <= 4.6401
    assert scores.weight.min() > 0
    assert scores.speech.min() >= 0 and scores.speech.max() <= 1


def test_its_first_call_is_made_when_it_is_loaded(monkeypatch):
    calls = []

    class Network(OnnxNetwork):
        def __call__(self, frames: np.ndarray) -> FrameScores:
            calls.append(frames.shape)
            return super().__call__(frames)

    monkeypatch.setitem(NETWORKS, "onnx", Network)
    Model(FOLDER, "onnx")
    assert calls == [(1, SPEC.bins)]


def test_it_is_loaded_once_per_process(config):
    assert load_model(config) is load_model(ScorerConfig())


def test_the_runtime_reports_nothing_to_its_maker(tmp_path):
    """When ONNX Runtime is let, it gives the machine a number and keeps it in the home folder."""
    subprocess.run(
        [sys.executable, "-c", "from aqscore.model.loading import *; load_model(ScorerConfig())"],
        cwd=ROOT,
        env={"HOME": str(tmp_path)},
        check=True,
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"features": SPEC.as_dict() | {"hop": 128}}, "trained on other features: hop is 128, expected 256"),
        ({"features": {}}, "sample_rate_hz is None, expected 16000"),
        ({"scale": "P.800 MOS"}, "scores on the scale 'P.800 MOS', expected 'PESQ-WB MOS-LQO'"),
        ({"no_speech": {"speech_probability": 0.85, "least_speech_s": 0.35}}, "expected clearest_speech"),
        ({"pooling": None}, "has pooling None, expected power in it"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(copy, change, text):
    info = json.loads((copy / "model.json").read_text()) | change
    (copy / "model.json").write_text(json.dumps(info))
    with pytest.raises(SetupError, match=text):
        Model(copy, "onnx")


def test_a_changed_file_is_refused(copy):
    info = json.loads((copy / "model.json").read_text())
    with (copy / info["files"]["onnx"]["name"]).open("ab") as file:
        file.write(b"!")
    with pytest.raises(SetupError, match="not the file that model.json describes"):
        Model(copy, "onnx")


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(SetupError, match=r"expected model\.json there"):
        Model(tmp_path, "onnx")
