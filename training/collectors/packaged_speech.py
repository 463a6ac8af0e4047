"""Collects the recorded speech in Debian's packages: lessons, games and telephone prompts that talk.

    python -m training.collectors.packaged_speech --out DIR

Some ninety voices in thirty languages, each before a microphone and in a room of their own, which the larger
corpora lack. One folder a speaker; short recordings are joined to about six seconds. Needs Debian's apt-get
and dpkg-deb, nothing is installed. The corpus builder trains on it, never tests: games are no test material.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import soundfile as sf
import soxr

from aqscore.model.features import SPEC
from training.collectors.packages import run, unpacked
from training.corpus.labels import active_level
from training.corpus.references import levelled
from training.corpus.speech import FADE, faded
from training.corpus.splits import TRAIN_ONLY_MARK

RATE = SPEC.sample_rate_hz
JOINED_S = 6.0  # a file is full when it is this long
LONGEST_S = 30.0  # what is longer is music, or a scene with noises
QUIETEST = 1e-3  # active level, -60 dBFS: what is softer is silence by intent

# Package -> which of its files, and who speaks in them: one voice recorded each language of KLettres,
# KTuberling, Tux Paint and qABCs. Voices that sound made by machine or that sing are left out.
PACKAGES = {
    "klettres-data": r"klettres/(?P<speaker>[^/@]+)/(alpha|syllab)/",
    "ktuberling-data": r"ktuberling/sounds/(?P<speaker>[^/@]+)/",
    "tuxpaint-stamps-default": r"_desc(_(?P<speaker>[a-z]+))?\.ogg$",
    "asterisk-core-sounds-en-g722": r"sounds/(?P<speaker>[^/]+)/(?!silence/)",
    "asterisk-core-sounds-es-g722": r"sounds/(?P<speaker>[^/]+)/(?!silence/)",
    "asterisk-core-sounds-fr-g722": r"sounds/(?P<speaker>[^/]+)/(?!silence/)",
    "asterisk-core-sounds-it-g722": r"sounds/(?P<speaker>[^/]+)/(?!silence/)",
    "asterisk-core-sounds-ru-g722": r"sounds/(?P<speaker>[^/]+)/(?!silence/)",
    "gcin-voice": r"(?P<speaker>[0-9])\.ogg$",
    "hedgewars-data": r"Sounds/voices/(?P<speaker>(?!Robot|Singer)[^/]+)/",
    "kajongg": r"kajongg/voices/(?P<speaker>(de/)?(fe)?male[0-9])/",
    "qabcs-data": r"abcs/(?P<speaker>[a-z_]+)/sounds/(alpha|words)/",
    "fillets-ng-data-cs": r"/cs/([a-z0-9]+-)?(?P<speaker>m|v|hs|c|pap|b1|b2)-[^/]+$",
    "fillets-ng-data-nl": r"/nl/([a-z0-9]+-)?(?P<speaker>m|v)-[^/]+$",
}
# Cut without a pause: they are given one.
TRIMMED, PAUSE_S = ("asterisk-core-sounds", "kajongg"), 0.3
AUDIO = (".ogg", ".wav", ".opus", ".g722")


def recordings(tree: Path, package: str) -> dict[str, list[Path]]:
    """{speaker: files} of one package that lies unpacked in ``tree``."""
    found: dict[str, list[Path]] = {}
    for file in sorted(tree.rglob("*")):
        match = re.search(PACKAGES[package], file.as_posix())
        if match and file.suffix in AUDIO and file.is_file() and not file.is_symlink():
            speaker = (match["speaker"] or "en").replace("/", "-")
            found.setdefault(f"{package}-{speaker}", []).append(file)
    return found


def read(file: Path) -> np.ndarray | None:
    """(n,) float32 at 16 kHz and -26 dBFS; None for what is narrower than that, too long or silent."""
    if file.suffix == ".g722":
        with av.open(str(file), format="g722") as container:
            blocks = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
        samples, rate = np.concatenate([np.zeros(0), *blocks]).astype(np.float32) / 32768, RATE
    else:
        samples, rate = sf.read(file, dtype="float32", always_2d=True)
        samples = samples.mean(axis=1)
    if rate < RATE or len(samples) > LONGEST_S * rate:
        return None
    samples = soxr.resample(samples, rate, RATE)
    if len(samples) < 2 * FADE or active_level(samples) < QUIETEST:
        return None
    return faded(levelled(samples))


def joined(files: list[Path], pause_s: float = 0.0) -> Iterator[np.ndarray]:
    """The recordings one after the other, cut anew after every six seconds or more; what is left over too."""
    pieces: list[np.ndarray] = []
    for file in files:
        samples = read(file)
        if samples is not None:
            pieces += [samples, np.zeros(round(pause_s * RATE), np.float32)]
        if sum(map(len, pieces)) >= JOINED_S * RATE:
            yield np.concatenate(pieces)
            pieces = []
    if pieces:
        yield np.concatenate(pieces)


def collect(out: Path) -> None:
    """Fills ``out`` with a folder a speaker. Raises ValueError where a tool or a package is missing."""
    out.mkdir(parents=True, exist_ok=True)
    (out / TRAIN_ONLY_MARK).write_text("Made by training.collectors.packaged_speech.\n")
    for package, tree in unpacked(PACKAGES):
        for speaker, files in recordings(tree, package).items():
            (out / speaker).mkdir(exist_ok=True)
            pause_s = PAUSE_S if package.startswith(TRIMMED) else 0.0
            for number, samples in enumerate(joined(files, pause_s)):
                sf.write(out / speaker / f"{number:04d}.flac", samples, RATE, subtype="PCM_16")


def main() -> None:
    run(collect, "training.collectors.packaged_speech", __doc__)


if __name__ == "__main__":
    main()
