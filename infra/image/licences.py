"""The licences of what the image holds: ``python -m infra.image.licences > docs/third-party.md``.

Versions are those of the image's lists, licences those that the packages state about themselves. Libraries of
other projects in a wheel are listed by hand.
"""

import re
from importlib.metadata import PackageMetadata, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# List -> the images that hold it, beside those of the lists above it.
LISTS = {
    "function/requirements.txt": "both runtimes",
    "function/requirements-formats.txt": "`Formats=all`",
    "function/requirements-tensorflow.txt": "`Runtime=tensorflow`",
    "function/requirements-command.txt": "the command",
}
# Packages whose metadata name no licence, with that of the file LICENSE in their repositories.
STATED_ELSEWHERE = {"namex": "Apache-2.0"}
# Package -> libraries and files of other projects inside its wheel, with their licences.
BUNDLED = {
    "av": "FFmpeg (LGPL-3.0-or-later), **x264 and x265 (GPL-2.0-or-later)**, dav1d, SVT-AV1, libvpx, Opus "
    "and libwebp (BSD), LAME (LGPL), GnuTLS, Nettle, GMP (LGPL-3.0-or-later), ALSA and oneVPL (LGPL, MIT), "
    "XCB (MIT)",
    "fastapi-offline": "Swagger UI (Apache-2.0)",
    "numpy": "OpenBLAS (BSD-3-Clause), libgfortran (GPL-3.0 with the GCC runtime exception)",
    "soundfile": "libsndfile, mpg123 and LAME (LGPL-2.1-or-later), FLAC, Ogg, Vorbis and Opus (BSD-3-Clause)",
    "soxr": "libsoxr (LGPL-2.1-or-later), PFFFT (BSD)",
}
HEAD = """\
# Third-party licences

`.venv/bin/python -m infra.image.licences > docs/third-party.md` writes this list of what the images of the
function and of the command hold beyond AWS's base image. The licence texts are in the image, in each
package's `.dist-info` folder. `make sbom` writes the same packages as CycloneDX. aqscore itself is under
[Apache-2.0](../LICENSE).

**GPL:** the default image (`Formats=all`) holds the wheel of PyAV. Its FFmpeg links to x264 and x265, video
encoders under GPL-2.0-or-later that aqscore never calls. You may run such an image for any purpose. If you
give it to others, the GPL's terms apply to it, such as the offer of source. `Formats=basic` is the image
without PyAV. Its only GPL code is libgfortran, whose exception allows this use.

| package | version | licence | in | also holds |
|---|---|---|---|---|
"""


def pins(path: Path) -> dict[str, str]:
    """Package -> version, from a list that `make lock` wrote."""
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", path.read_text(), flags=re.MULTILINE))


def licence(package: PackageMetadata) -> str:
    """The licence as the package states it: SPDX expression, field or classifier."""
    text = package.get("License-Expression") or package.get("License") or ""
    classifiers = package.get_all("Classifier") or []
    named = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License :: ")]
    first_line = text.strip().partition("\n")[0]
    return first_line if 0 < len(first_line) < 80 else " / ".join(named)


def table() -> str:
    """The document."""
    held: dict[tuple[str, str], list[str]] = {}
    for name, images in LISTS.items():
        for pin in pins(ROOT / name).items():
            if "both runtimes" not in (holders := held.setdefault(pin, [])):
                holders.append(images)
    rows = []
    for (package, version), holders in held.items():
        stated = STATED_ELSEWHERE.get(package) or licence(metadata(package))
        if not stated:
            raise SystemExit(f"{package} states no licence: look it up, and add it to STATED_ELSEWHERE.")
        others = BUNDLED.get(package, "")
        rows.append(f"| {package} | {version} | {stated} | {', '.join(holders)} | {others} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    print(table(), end="")
