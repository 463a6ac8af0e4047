"""Mutants of real recordings in every format, decoded: ``python -m tests.fuzz [--mutants N] [--minutes M]``.

The recordings are made in memory; those of a folder (``--files``) are added. Half of the mutations follow the
structure of the format, half change any bytes. Mutants lie in files on disk and in memory in turn.
A mutant fails when a decoder crashes, exceeds its limits of time or memory, or raises an error that is not in
aqscore.errors. Mutant number i of a seed is always the same. A mutant that failed is kept, to become a
regression test (tests/unit/audio/test_fuzz.py).
"""

import argparse
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import soundfile
from rich.console import Console
from rich.progress import track
from rich.table import Table

from aqscore.audio.recording import Recording
from aqscore.errors import DecoderCrashed, DecoderLost, LimitExceeded, PermanentError
from aqscore.limits import Limits
from tests.conftest import EXAMPLES
from tests.recordings import RATE, all_formats, by_ffmpeg
from tests.structure import mutate_structure
from tests.watched_workers import WatchedWorkers

FINDINGS = Path("fuzz-findings")
LIMITS = Limits(max_decode_s=10.0, max_duration_s=3600.0)
SECONDS = 1.0
HEADER_BYTES = 256
MAX_FILE_BYTES = 10_000_000  # of a recording on disk
VALUES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FF00000)
OUTCOMES = ("whole", "truncated", "refused", "over a limit", "CRASHED", "HUNG", "BROKE")
BAD = OUTCOMES[-3:]


@dataclass
class Tally:
    """The outcomes of one format's mutants."""

    outcomes: Counter = field(default_factory=Counter)
    slowest_s: float = 0.0
    peak_bytes: int = 0


def originals(seed: int, folder: Path | None = None) -> dict[str, bytes]:
    """A piece of speech in each format, and the recordings of a folder on disk."""
    rng = np.random.default_rng(seed)
    speech = soundfile.read(EXAMPLES / "clean.flac", dtype="float32", start=RATE)[0][: round(SECONDS * RATE)]
    files = {name: bytearray(make()) for name, make in all_formats(speech, rng).items()}
    for data in files.values():
        # Remove values that come from the clock: Ogg's serial number, and the time in the PEAK chunk of WAV.
        for page in _pages(data):
            data[page.start + 14 : page.start + 18] = b"fuzz"
        _correct_checksums(data)
        if (peak := data.find(b"PEAK")) > 0:
            data[peak + 12 : peak + 16] = bytes(4)
    made = {name: bytes(data) for name, data in files.items()}
    # Several links, several tracks, and FFmpeg's codecs in libsndfile's containers.
    made["joined.mp3"] = made["mp3"] * 2
    made["chained.ogg"] = made["vorbis.ogg"] + made["opus"]
    made["joined.webm"] = made["webm"] * 2
    made["g722.wav"] = by_ffmpeg(speech, "wav", "g722")
    made["mp3.wav"] = by_ffmpeg(speech, "wav", "libmp3lame")
    made["ima.caf"] = by_ffmpeg(speech, "caf", "adpcm_ima_qt")
    paths = sorted(path for path in folder.iterdir() if path.suffix != ".py") if folder else []
    return made | {path.name: path.read_bytes() for path in paths if path.stat().st_size <= MAX_FILE_BYTES}


def mutant(number: int, seed: int, files: dict[str, bytes]) -> tuple[str, bytes]:
    """The format and the bytes of mutant ``number``: each format in turn, changed in one to eight places."""
    rng = np.random.default_rng([seed, number])
    name = list(files)[number % len(files)]
    data = bytearray(files[name])
    for _ in range(min(rng.geometric(0.4), 8)):
        if len(data) < 2:
            break
        other = files[list(files)[rng.integers(len(files))]]
        if rng.random() < 0.5 or not mutate_structure(data, rng, other):
            _mutate(data, rng, files)
    if rng.random() < 0.9:
        _correct_checksums(data)
    return name, bytes(data)


def _mutate(data: bytearray, rng: np.random.Generator, files: dict[str, bytes]) -> None:
    near_an_end = rng.random() < 0.5  # headers and, in MP4, the index
    reach = min(HEADER_BYTES, len(data)) if near_an_end else len(data)
    at = int(rng.integers(reach))
    if near_an_end and rng.random() < 0.3:
        at = len(data) - 1 - at
    length = int(rng.integers(1, 1 + min(64, len(data) - at)))
    match rng.integers(8):
        case 0:
            data[at] ^= 1 << rng.integers(8)
        case 1:
            data[at] = rng.integers(256)
        case 2 | 3:
            size = int(rng.choice([1, 2, 4, 8]))
            value = int(rng.choice(VALUES)) % 256**size
            data[at : at + size] = value.to_bytes(size, rng.choice(["little", "big"]))
        case 4:
            del data[at : at + length]
        case 5:
            data[at:at] = data[at : at + length] * int(rng.integers(1, 8))
        case 6:
            data[at : at + length] = rng.bytes(length)
        case 7:
            if rng.random() < 0.5:
                del data[at:]
            else:
                other = files[list(files)[rng.integers(len(files))]]
                start = int(rng.integers(len(other)))
                data[at : at + length] = other[start : start + length]


def _correct_checksums(data: bytearray) -> None:
    """Sets the checksums of Ogg pages (RFC 3533, 6, field 8): libogg drops pages with wrong ones."""
    for page in _pages(data):
        data[page.start + 22 : page.start + 26] = bytes(4)
        checksum = 0
        for byte in data[page]:
            checksum = (checksum << 8 & 0xFFFFFFFF) ^ CRC[checksum >> 24 ^ byte]
        data[page.start + 22 : page.start + 26] = checksum.to_bytes(4, "little")


def _pages(data: bytearray) -> list[slice]:
    """Where Ogg's pages are; none in any other file."""
    starts = [match.start() for match in re.finditer(b"OggS", data)] if data.startswith(b"OggS") else []
    ends = [*starts[1:], len(data)]
    return [slice(start, end) for start, end in zip(starts, ends, strict=False) if end - start >= 27]


def _crc(value: int) -> int:
    for _ in range(8):
        value = value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)
    return value & 0xFFFFFFFF


CRC = [_crc(byte << 24) for byte in range(256)]


def outcome(data: bytes, workers: WatchedWorkers, tally: Tally, *, on_disk: bool = True) -> str:
    """Decodes a mutant as the function does, from a file on disk or in memory; returns one of OUTCOMES."""
    started = time.perf_counter()
    with _file(on_disk) as file:
        file.write(data)
        file.flush()
        try:
            with Recording(file, LIMITS, workers=workers) as recording:
                for block in recording.blocks():
                    assert block.dtype == np.float32 and np.isfinite(block).all()
                result = "truncated" if recording.media.truncated else "whole"
        except DecoderCrashed:
            result = "CRASHED"
        except LimitExceeded as error:
            result = "HUNG" if "Decoding took longer" in error.message else "over a limit"
        except DecoderLost:
            result = "BROKE"
        except PermanentError:
            result = "refused"
        except Exception:
            Console(stderr=True).print_exception()
            result = "BROKE"
    tally.slowest_s = max(tally.slowest_s, time.perf_counter() - started)
    tally.peak_bytes = max(tally.peak_bytes, workers.peak_bytes)
    return result


def _file(on_disk: bool) -> BinaryIO:
    if on_disk:
        return cast(BinaryIO, tempfile.NamedTemporaryFile())
    return os.fdopen(os.memfd_create("mutant"), "wb+")


def fuzz(
    numbers: Iterator[int], seed: int, until: float = float("inf"), folder: Path | None = None
) -> dict[str, Tally]:
    """Decodes the mutants of these numbers until that time (time.monotonic); a tally for each format.

    ``folder`` holds further recordings to mutate. Mutants that fail are written into the folder
    fuzz-findings.
    """
    workers = WatchedWorkers()
    try:
        files = originals(seed, folder)
        tallies = {name: Tally() for name in files}
        for number in numbers:
            if time.monotonic() > until:
                break
            name, data = mutant(number, seed, files)
            result = outcome(data, workers, tallies[name], on_disk=number // len(files) % 2 == 0)
            tallies[name].outcomes[result] += 1
            if result in BAD:
                FINDINGS.mkdir(exist_ok=True)
                (FINDINGS / f"{seed}-{number}-{result.lower()}.{name}").write_bytes(data)
        return tallies
    finally:
        workers.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Decodes mutated recordings.")
    parser.add_argument("--mutants", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=Path, default=EXAMPLES, help="a folder of recordings to mutate too")
    options = parser.parse_args()
    console = Console(width=120)
    numbers = track(range(options.mutants), "Decoding mutants", console=console, transient=True)
    tallies = fuzz(iter(numbers), options.seed, time.monotonic() + 60 * options.minutes, options.files)
    table = Table("Format", *OUTCOMES, "slowest", "peak memory")
    for name, tally in tallies.items():
        counts = (str(tally.outcomes[each] or "") for each in OUTCOMES)
        table.add_row(name, *counts, f"{tally.slowest_s:.2f} s", f"{tally.peak_bytes / 1e6:.0f} MB")
    total = sum((tally.outcomes for tally in tallies.values()), Counter())
    table.add_section()
    table.add_row("all", *(str(total[each]) for each in OUTCOMES))
    console.print(table)
    bad = sum(total[each] for each in BAD)
    console.print(f"{total.total():,} mutants, seed {options.seed}: {bad or 'none'} failed.")
    if bad:
        console.print(f"Their bytes are in {FINDINGS}/. Make each a test in tests/unit/audio/test_fuzz.py.")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
