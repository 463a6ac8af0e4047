"""The teachers. DNSMOS Pro's published weights are not in the repository, PyTorch is not installed here."""

import sys
import zipfile

import numpy as np
import pytest

from tests.conftest import EXAMPLES
from training.corpus.references import read_audio
from training.teachers.dnsmos_pro import BINS, DnsmosPro, log_spectrum
from training.teachers.mean import MeanTeacher, load_teacher

# Sizes of its tensors in PyTorch's order: weight and bias of each layer, and after a convolution the four of
# its batch normalisation and a counter.
CONVOLUTIONS = ((32, 1), (32, 32), (64, 32), (64, 64))
DENSE = ((64, 64), (64, 64), (2, 64))


@pytest.fixture
def tensors(rng):
    made = []
    for outputs, inputs in CONVOLUTIONS:
        made.append(0.05 * rng.standard_normal((outputs, inputs, 3, 3)))
        made += [rng.random(outputs) for _ in range(5)]
        made.append(None)
    for outputs, inputs in DENSE:
        made += [0.05 * rng.standard_normal((outputs, inputs)), rng.random(outputs)]
    return made


def archive(path, tensors):
    with zipfile.ZipFile(path, "w") as file:
        for number, values in enumerate(tensors):
            data = np.int64(7).tobytes() if values is None else np.asarray(values, "<f4").tobytes()
            file.writestr(f"model_best/data/{number}", data)
    return path


def test_weights_come_in_the_order_of_keras(tmp_path, tensors):
    network = DnsmosPro(archive(tmp_path / "model.pt", tensors))._network
    first = network.layers[1].get_weights()[0]
    np.testing.assert_allclose(first[2, 1, 0, 5], tensors[0][5, 0, 2, 1], rtol=1e-6)
    last, bias = network.layers[-1].get_weights()
    np.testing.assert_allclose(last, tensors[-2].T, rtol=1e-6)
    np.testing.assert_allclose(bias, tensors[-1], rtol=1e-6)


def test_other_weights_are_an_error(tmp_path, tensors):
    with pytest.raises(ValueError, match=r"expected its model_best\.pt"):
        DnsmosPro(archive(tmp_path / "model.pt", tensors[:-1]))


def test_a_score_is_a_number_for_any_length(tmp_path, tensors, rng):
    teacher = DnsmosPro(archive(tmp_path / "model.pt", tensors))
    for seconds in (0.5, 3, 12):
        assert np.isfinite(teacher.score(rng.standard_normal(int(16_000 * seconds))))


def test_the_spectrum_is_log_magnitude_with_a_floor():
    spectrum = log_spectrum(np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000))
    assert spectrum.shape == (101, BINS)
    assert spectrum[50].argmax() == 20
    assert spectrum.min() == pytest.approx(-7)


class Constant:
    def __init__(self, value):
        self.value = value

    def score(self, samples):
        return self.value


def test_several_teachers_give_their_mean(tmp_path, tensors, rng):
    assert MeanTeacher([Constant(2.0), Constant(4.5)]).score(np.zeros(9)) == 3.25
    file = archive(tmp_path / "model.pt", tensors)
    samples = rng.standard_normal(16_000)
    assert load_teacher([str(file)] * 2).score(samples) == DnsmosPro(file).score(samples)


def test_a_missing_package_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distillmos", None)
    monkeypatch.delitem(sys.modules, "training.teachers.distill_mos", raising=False)
    with pytest.raises(
        ValueError, match=r"install the extra with \.venv/bin/pip install -e '\.\[teachers\]'"
    ):
        load_teacher(["distillmos"])


def test_distill_mos_rates_the_noisy_example_below_the_clean_one():
    pytest.importorskip("distillmos")
    teacher = load_teacher(["distillmos"])
    noisy, clean = (teacher.score(read_audio(EXAMPLES / f"{name}.flac")) for name in ("noisy", "clean"))
    assert 1 <= noisy < clean - 0.3 < 5
