"""Collects the recorded speech in Debian's packages: lessons, games and telephone prompts.

    python -m training.collectors.packaged_speech --out DIR

They hold about ninety voices in thirty languages, each with its own microphone and room, unlike the larger
corpora. It writes one folder per speaker, and joins short recordings to about six seconds. It needs Debian's
apt-get and dpkg-deb, and installs nothing. The corpus builder uses it for training only.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import soundfile as sf
import soxr

from aqscore.model.features import SPEC
from training.cleaning import levelled
from training.collectors.packages import run, unpacked
from training.corpus.speech import FADE, faded
from training.corpus.splits import TRAIN_ONLY_MARK
from training.levels import active_level

RATE = SPEC.sample_rate_hz
JOINED_S = 6.0  # minimum length of a joined file
MAX_S = 30.0  # longer files are music, or scenes with noises
MIN_LEVEL = 1e-3  # active level, -60 dBFS; softer files are silence

# Package -> pattern of its files, with their speaker: KLettres, KTuberling, Tux Paint and qABCs have one
# voice per language. Machine-like and singing voices are left out.
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
# Packages whose files end without a pause, and the pause that is added.
TRIMMED, PAUSE_S = ("asterisk-core-sounds", "kajongg"), 0.3
AUDIO = (".ogg", ".wav", ".opus", ".g722")


def recordings(tree: Path, package: str) -> dict[str, list[Path]]:
    """{speaker: files} of one package, unpacked in ``tree``."""
    found: dict[str, list[Path]] = {}
    for file in sorted(tree.rglob("*")):
        match = re.search(PACKAGES[package], file.as_posix())
        if match and file.suffix in AUDIO and file.is_file() and not file.is_symlink():
            speaker = (match["speaker"] or "en").replace("/", "-")
            found.setdefault(f"{package}-{speaker}", []).append(file)
    return found


def read(file: Path) -> np.ndarray | None:
    """(n,) float32 at 16 kHz and -26 dBFS; None for a lower sample rate, a long or a silent file."""
    if file.suffix == ".g722":
        with av.open(str(file), format="g722") as container:
            blocks = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
        samples, rate = np.concatenate([np.zeros(0), *blocks]).astype(np.float32) / 32768, RATE
    else:
        samples, rate = sf.read(file, dtype="float32", always_2d=True)
        samples = samples.mean(axis=1)
    if rate < RATE or len(samples) > MAX_S * rate:
        return None
    samples = soxr.resample(samples, rate, RATE)
    if len(samples) < 2 * FADE or active_level(samples) < MIN_LEVEL:
        return None
    return faded(levelled(samples))


def joined(files: list[Path], pause_s: float = 0.0) -> Iterator[np.ndarray]:
    """The recordings joined to pieces of six seconds or more; the last piece may be shorter."""
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
    """Fills ``out`` with one folder per speaker. Raises ValueError where a tool or a package is missing."""
    out.mkdir(parents=True, exist_ok=True)
    (out / TRAIN_ONLY_MARK).write_text("Made by training.collectors.packaged_speech.\n")
    for package, tree in unpacked(PACKAGES):
        for speaker, files in recordings(tree, package).items():
            (out / speaker).mkdir(exist_ok=True)
            pause_s = PAUSE_S if package.startswith(TRIMMED) else 0.0
            for number, samples in enumerate(joined(files, pause_s)):
                sf.write(out / speaker / f"{number:04d}.flac", samples, RATE, subtype="PCM_16")


def main() -> None:
    run(collect, "training.collectors.packaged_speech", __doc__ or "")


if __name__ == "__main__":
    main()
