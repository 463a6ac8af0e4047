"""Collects the sounds in Debian's packages: animals, engines, tools, weather, footsteps, impacts, signals.

    python -m training.collectors.packaged_noise --out DIR

Some 1,300 files of 1,200 kinds; the collections of noise hold fewer than a hundred kinds, most of them once.
One file a kind and package; short sounds are repeated with pauses, as keys, feet and frogs are heard. Voices
and music are left out by name. Needs Debian's apt-get and dpkg-deb, nothing is installed. The corpus builder
trains on it, never tests, and leaves out the kinds that it tests on.
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
LEAST_RATE = 11_025  # Hz; what is narrower than that is a toy's
LONGEST_S = 30.0  # that is kept of a sound
FILLED_S = 8.0  # a file lasts that long at least, by repetition
PAUSE_S = (0.03, 1.0)  # from one repetition to the next, even on a log scale
QUIETEST = 1e-3  # RMS, -60 dBFS: what is softer is silence by intent

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
# By path: people and what they say, music, and the kinds that others test on as games spell them.
LEFT_OUT = re.compile(
    r"music|song|melod|tune|loop|theme_|_desc|alphabet|dreydl|chat|/symbols/|voice|vocal|speech|speak|talk|say|word|letter"
    r"|human|/(fe)?male|[-_]m?f?e?male|/man|woman|people|baby|child|kid|girl|boy|laugh|scream|shout|yell|cheer"
    r"|crowd|taunt|pain(?!t)|hurt|die|death|dying|groan|moan|grunt|cough|hey|hello|lang|/(de|en|es|fr|it|nl|ru)/"
    r"|clock|tick|keyb|typ(e|ing)|key[-_]?press|train(?!ing)|airport|boat|ship|sail|drop|drip|gull|stream|river|water"
    r"|frog|toad|sheep|lamb|goat|bowl|gong|woodpeck|peck|office|temple|church|street|(?<!lin)city|restaurant|inn_",
    re.IGNORECASE,
)


def sounds(tree: Path) -> dict[str, list[Path]]:
    """{kind: files} of one package that lies unpacked in ``tree``."""
    found: dict[str, list[Path]] = {}
    for file in sorted(tree.rglob("*")):
        named = re.search("[a-z]{3}", file.stem, re.IGNORECASE)  # not by a number alone
        if not named or LEFT_OUT.search(file.relative_to(tree).as_posix()):
            continue
        if file.suffix in AUDIO and file.is_file() and not file.is_symlink():
            found.setdefault(kind_of(file), []).append(file)
    return found


def read(file: Path) -> np.ndarray | None:
    """(n,) float32 at 16 kHz, RMS 0.05; None for what can't be read, is too narrow or silent."""
    try:
        with sf.SoundFile(file) as sound:
            rate = sound.samplerate
            samples = sound.read(int(LONGEST_S * rate), dtype="float32", always_2d=True).mean(axis=1)
    except sf.LibsndfileError:
        return None
    if rate < LEAST_RATE or len(samples) < rate // 100:
        return None
    samples = soxr.resample(samples, rate, RATE)
    rms = np.sqrt(np.mean(np.square(samples, dtype=np.float64)))
    return None if rms < QUIETEST else (samples * (0.05 / rms)).astype(np.float32)


def filled(pieces: list[np.ndarray], generator: np.random.Generator) -> np.ndarray:
    """The sounds one after the other, until there is enough; what is short comes again, with pauses."""
    whole: list[np.ndarray] = []
    pause = 1.0 if sum(map(len, pieces)) < FILLED_S * RATE else 0.0
    beat = np.exp(generator.uniform(*np.log(PAUSE_S)))
    while not whole or sum(map(len, whole)) < FILLED_S * RATE:
        for number in generator.permutation(len(pieces)):
            silence = np.zeros(round(pause * beat * generator.uniform(0.5, 1.5) * RATE), np.float32)
            whole += [pieces[number], silence]
    return np.concatenate(whole)[: int(LONGEST_S * RATE)]


def collect(out: Path) -> None:
    """Fills ``out`` with a file a kind and package. Raises ValueError where a package can't be had."""
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
    run(collect, "training.collectors.packaged_noise", __doc__)


if __name__ == "__main__":
    main()
