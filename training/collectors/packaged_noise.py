"""Collects the sounds in Debian's packages: animals, engines, tools, weather, footsteps, impacts, signals.

    python -m training.collectors.packaged_noise --out DIR

They hold about 1,300 files of 1,200 kinds; collections of noise hold fewer than a hundred kinds. It writes
one file per kind and package, and repeats short sounds with pauses. Names decide what is left out as voice
or music. It needs Debian's apt-get and dpkg-deb, and installs nothing. The corpus builder uses it for
training only, without the kinds of the development split.
"""

import re
import zlib
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr

from aqscore.model.features import SPEC
from training.collectors.packages import run, unpacked
from training.corpus.splits import AUDIO, TRAIN_ONLY_MARK, kind_of

RATE = SPEC.sample_rate_hz
MIN_RATE = 11_025  # Hz
MAX_S = 30.0  # kept of a sound
MIN_S = 8.0  # length of a file, by repetition
PAUSE_S = (0.03, 1.0)  # between repetitions, uniform on a log scale
MIN_RMS = 1e-3  # -60 dBFS; softer files are silence

PACKAGES = [
    "ardentryst",
    "btanks-data",
    "bzflag-data",
    "crrcsim-data",
    "csmash-data",
    "deepin-sound-theme",
    "endless-sky-data",
    "flare-game",
    "freeciv-data",
    "gnome-audio",
    "hydrogen-data",
    "lincity-ng-data",
    "lugaru-data",
    "minetest-data",
    "oxygen-sounds",
    "scorched3d-data",
    "scratch",
    "searchandrescue-data",
    "simutrans-pak64",
    "sonic-pi-samples",
    "sound-icons",
    "supertuxkart-data",
    "trackballs-data",
    "tuxpaint-stamps-default",
    "unknown-horizons",
    "wesnoth-1.16-data",
    "widelands-data",
    "workrave-data",
]
# Paths to leave out: people and speech, music, and the kinds of the usual development sets.
LEFT_OUT = re.compile(
    r"music|song|melod|tune|loop|theme_|_desc|alphabet|dreydl|chat|/symbols/|voice|vocal|speech|speak|talk|say|word|letter"
    r"|human|/(fe)?male|[-_]m?f?e?male|/man|woman|people|baby|child|kid|girl|boy|laugh|scream|shout|yell|cheer"
    r"|crowd|taunt|pain(?!t)|hurt|die|death|dying|groan|moan|grunt|cough|hey|hello|lang|/(de|en|es|fr|it|nl|ru)/"
    r"|clock|tick|keyb|typ(e|ing)|key[-_]?press|train(?!ing)|airport|boat|ship|sail|drop|drip|gull|stream|river|water"
    r"|frog|toad|sheep|lamb|goat|bowl|gong|woodpeck|peck|office|temple|church|street|(?<!lin)city|restaurant|inn_",
    re.IGNORECASE,
)


def sounds(tree: Path) -> dict[str, list[Path]]:
    """{kind: files} of one package, unpacked in ``tree``."""
    found: dict[str, list[Path]] = {}
    for file in sorted(tree.rglob("*")):
        named = re.search("[a-z]{3}", file.stem, re.IGNORECASE)  # not by a number alone
        if not named or LEFT_OUT.search(file.relative_to(tree).as_posix()):
            continue
        if file.suffix in AUDIO and file.is_file() and not file.is_symlink():
            found.setdefault(kind_of(file), []).append(file)
    return found


def read(file: Path) -> np.ndarray | None:
    """(n,) float32 at 16 kHz, RMS 0.05; None for unreadable files, low sample rates and silence."""
    try:
        with sf.SoundFile(file) as sound:
            rate = sound.samplerate
            samples = sound.read(int(MAX_S * rate), dtype="float32", always_2d=True).mean(axis=1)
    except sf.LibsndfileError:
        return None
    if rate < MIN_RATE or len(samples) < rate // 100:
        return None
    samples = soxr.resample(samples, rate, RATE)
    rms = np.sqrt(np.mean(np.square(samples, dtype=np.float64)))
    return None if rms < MIN_RMS else (samples * (0.05 / rms)).astype(np.float32)


def filled(pieces: list[np.ndarray], generator: np.random.Generator) -> np.ndarray:
    """(n,) of the sounds in random order, 8 to 30 s; short ones are repeated with pauses."""
    joined: list[np.ndarray] = []
    pause = 1.0 if sum(map(len, pieces)) < MIN_S * RATE else 0.0
    beat = np.exp(generator.uniform(*np.log(PAUSE_S)))
    while not joined or sum(map(len, joined)) < MIN_S * RATE:
        for number in generator.permutation(len(pieces)):
            silence = np.zeros(round(pause * beat * generator.uniform(0.5, 1.5) * RATE), np.float32)
            joined += [pieces[number], silence]
    return np.concatenate(joined)[: int(MAX_S * RATE)]


def collect(out: Path) -> None:
    """Fills ``out`` with one file per kind and package. Raises ValueError where a package is missing."""
    out.mkdir(parents=True, exist_ok=True)
    (out / TRAIN_ONLY_MARK).write_text("Made by training.collectors.packaged_noise.\n")
    for package, tree in unpacked(PACKAGES):
        for kind, files in sounds(tree).items():
            pieces = [samples for samples in map(read, files) if samples is not None]
            if pieces:
                samples = filled(pieces, np.random.default_rng(zlib.crc32(f"{package} {kind}".encode())))
                (out / package).mkdir(exist_ok=True)
                sf.write(out / package / f"{kind}.flac", np.clip(samples, -1, 1), RATE, subtype="PCM_16")


def main() -> None:
    run(collect, "training.collectors.packaged_noise", __doc__ or "")


if __name__ == "__main__":
    main()
