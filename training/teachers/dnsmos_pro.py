r"""Predicts listeners' scores (MOS, ACR) of recordings by DNSMOS Pro, without a reference.

    python -m training.teachers.dnsmos_pro --weights model_best.pt --out mos.csv FOLDER...

The scores screen references (``training.corpus.build --screen mos.csv``). ``--weights`` is the file
runs/NISQA/model_best.pt of the repository fcumlin/DNSMOSPro (MIT licence).

Source: F. Cumlin, X. Liang et al., "DNSMOS Pro: A Reduced-Size DNN for Probabilistic MOS of Speech",
Interspeech 2024. The network is built here in Keras, so that PyTorch is not needed.
"""

import argparse
import csv
import zipfile
from pathlib import Path

import keras
import numpy as np
from keras import layers
from tqdm import tqdm

from training.corpus.references import read_audio
from training.corpus.splits import audio_files

FRAME, HOP = 320, 160  # samples at 16 kHz
WINDOW = np.hanning(FRAME + 1)[:-1].astype(np.float32)  # periodic
BINS = FRAME // 2 + 1
LONGEST = 1_000  # frames, 10 s: the length that its authors recommend
CHANNELS = (32, 32, 64, 64)
POOLED = 1  # the number of the convolution that pooling follows
HIDDEN = 64
BATCH_NORMALISATION_EPSILON = 1e-5


class DnsmosPro:
    """The network with its published weights."""

    def __init__(self, weights: Path) -> None:
        """Raises ValueError when the file does not hold the weights of DNSMOS Pro."""
        self._network = _network()
        self._network.set_weights(_keras_weights(weights, self._network))

    def score(self, samples: np.ndarray) -> float:
        """MOS, about 1 to 5, of (n,) samples at 16 kHz; longer recordings by their middle ten seconds."""
        spectrum = log_spectrum(samples)
        start = max(0, (len(spectrum) - LONGEST) // 2)
        output = self._network(spectrum[None, start : start + LONGEST, :, None], training=False)
        return 3.0 + 2.0 * float(output[0, 0])


def log_spectrum(samples: np.ndarray) -> np.ndarray:
    """(n,) samples -> (frames, 161) log10 magnitudes; the ends are padded with zeros, as librosa does."""
    padded = np.pad(np.asarray(samples, np.float32), FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    return np.log10(np.clip(np.abs(np.fft.rfft(frames * WINDOW)), 1e-7, 1e7)).astype(np.float32)


def _network() -> keras.Model:
    hidden = inputs = keras.Input((None, BINS, 1))
    for number, channels in enumerate(CHANNELS):
        hidden = layers.Conv2D(channels, 3, padding="same")(hidden)
        hidden = layers.BatchNormalization(epsilon=BATCH_NORMALISATION_EPSILON)(hidden)
        hidden = layers.ReLU()(hidden)
        if number == POOLED:
            hidden = layers.MaxPooling2D(3)(hidden)
    hidden = layers.GlobalMaxPooling2D()(hidden)
    for _ in range(2):
        hidden = layers.Dense(HIDDEN, activation="relu")(hidden)
    return keras.Model(inputs, layers.Dense(2)(hidden))  # mean and variance


def _keras_weights(path: Path, network: keras.Model) -> list[np.ndarray]:
    """The tensors of a TorchScript archive, in Keras's order and shapes."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if Path(name).parent.name == "data"]
        stored = [archive.read(name) for name in sorted(names, key=lambda name: int(Path(name).name))]
    weights = []
    for shape in (tuple(weight.shape) for weight in network.weights):
        if stored and len(stored[0]) == 8 and np.prod(shape) != 2:
            stored.pop(0)  # each batch normalisation also counts its batches
        if not stored or len(stored[0]) != 4 * np.prod(shape):
            raise ValueError(f"{path} doesn't hold the weights of DNSMOS Pro, expected its model_best.pt.")
        weights.append(_in_keras_order(np.frombuffer(stored.pop(0), "<f4"), shape))
    return weights


def _in_keras_order(tensor: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A flat tensor of PyTorch as an array of ``shape``.

    PyTorch has the output channels first, and a convolution's input channels before its height and width.
    """
    if len(shape) == 4:
        return tensor.reshape(shape[3], shape[2], *shape[:2]).transpose(2, 3, 1, 0)
    return tensor.reshape(shape[::-1]).T


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.teachers.dnsmos_pro", description=(__doc__ or "").splitlines()[1]
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--weights", type=Path, required=True, help="model_best.pt of DNSMOS Pro")
    parser.add_argument("--out", type=Path, required=True, help="CSV of path and mos")
    options = parser.parse_args()
    teacher = DnsmosPro(options.weights)
    with options.out.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("path", "mos"))
        for path in tqdm([path for folder in options.folders for path in audio_files(folder)], unit="file"):
            rows.writerow((path.resolve(), f"{teacher.score(read_audio(path)):.3f}"))


if __name__ == "__main__":
    main()
