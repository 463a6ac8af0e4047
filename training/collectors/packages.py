"""Debian's packages as a source of recordings: unpacked temporarily, never installed."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from tqdm import tqdm


def unpacked(packages: Collection[str]) -> Iterator[tuple[str, Path]]:
    """Each package and the folder of its files, which is deleted before the next.

    Raises ValueError where apt-get, dpkg-deb or a package is missing.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise ValueError("apt-get and dpkg-deb were not found, expected both: run this on Debian.")
    for package in tqdm(packages, unit="package"):
        with tempfile.TemporaryDirectory() as folder:
            yield package, _unpack(package, Path(folder))


def _unpack(package: str, into: Path) -> Path:
    if subprocess.run(["apt-get", "download", "-qq", package], cwd=into, check=False).returncode:
        raise ValueError(
            f"apt-get can't download {package}, expected it in Debian's main archive: run apt-get update, "
            "or take the package out of PACKAGES if your release no longer has it."
        )
    archive = next(into.glob(f"{package}_*.deb"))
    subprocess.run(["dpkg-deb", "-x", archive, into / package], check=True)
    archive.unlink()
    return into / package


def run(collect: Callable[[Path], None], module: str, description: str) -> None:
    """The command ``python -m MODULE --out DIR``; it ends without a traceback on ValueError."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    try:
        collect(parser.parse_args().out)
    except ValueError as error:
        sys.exit(str(error))
