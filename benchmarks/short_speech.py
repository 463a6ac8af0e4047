"""How much wider the interval must be for little speech: ``python -m benchmarks.short_speech FOLDER``.

FOLDER holds clean recordings of speech. Pieces of them are degraded by noise, clipping or a low-pass filter,
and scored; PESQ compares them with the clean pieces. For each amount of speech the command prints the factor
by which the interval must grow to hold nine tenths of the values, beside that of pieces with more speech. The
last line is the table ``short_speech`` for ``interval`` in a model.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pesq
import soundfile as sf
import soxr

from aqscore import score

RATE = 16_000
PIECES_S = (0.8, 1.2, 1.8, 2.5, 4.0, 6.0)
CLASSES_S = (0.25, 0.5, 1.0, 1.5, 2.0, 10.0)  # ends of the classes of speech; the last one is the reference
COVERAGE = 0.9


def degraded(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n,) speech with noise, clipped, or without its upper frequencies."""
    level = np.sqrt(np.mean(samples**2))
    kind = rng.integers(3)
    if kind == 0:
        return samples + level * 10 ** (-rng.uniform(0, 40) / 20) * rng.standard_normal(len(samples))
    if kind == 1:
        return np.clip(samples, -1, rng.uniform(0.3, 4.0) * level)
    rate = int(rng.uniform(3_000, 14_000))
    narrow = soxr.resample(soxr.resample(samples, RATE, rate), rate, RATE)
    return np.pad(narrow, (0, max(0, len(samples) - len(narrow))))[: len(samples)]


def needed_factor(clean: np.ndarray, rng: np.random.Generator) -> tuple[float, float] | None:
    """The seconds of speech in a piece, and the factor of its interval that would just hold PESQ."""
    made = degraded(clean, rng).astype(np.float32)
    found = score(made, sample_rate_hz=RATE, frames=False)
    if found.score is None or found.interval is None:
        return None
    try:
        true = pesq.pesq(RATE, clean, made, "wb")
    except pesq.PesqError:
        return None
    lower, upper = found.interval
    reach = found.score - lower if true < found.score else upper - found.score
    return found.signal.speech_share * found.media.duration_s, abs(true - found.score) / max(reach, 0.05)


def factors(folder: Path, pieces: int) -> list[tuple[float, int, float]]:
    """For each class its upper end in seconds of speech, the number of pieces, and the factor."""
    rng = np.random.default_rng(0)
    paths = rng.permutation(sorted(str(path) for path in folder.rglob("*.flac")))
    found = []
    for path in paths[:pieces]:
        clean, rate = sf.read(path, dtype="float32")
        if rate != RATE or clean.ndim > 1:
            continue
        for length in PIECES_S:
            count = round(length * RATE)
            if count <= len(clean):
                start = rng.integers(len(clean) - count + 1)
                found.append(needed_factor(clean[start : start + count], rng))
    seconds, needed = np.array([one for one in found if one]).T
    index = np.searchsorted(CLASSES_S, seconds)
    return [
        (end, int(np.sum(index == place)), float(np.quantile(needed[index == place], COVERAGE)))
        for place, end in enumerate(CLASSES_S)
        if np.any(index == place)
    ]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.short_speech", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="FLAC files of clean speech at 16 kHz")
    parser.add_argument("--pieces", type=int, default=300, metavar="N", help="recordings to take pieces from")
    options = parser.parse_args(arguments)
    rows = factors(options.folder, options.pieces)
    for end, count, factor in rows:
        print(f"up to {end:g} s of speech: {count} pieces, factor {factor / rows[-1][2]:.2f}")
    print(json.dumps({"short_speech": table(rows)}))


def table(rows: list[tuple[float, int, float]]) -> dict[str, list[float]]:
    """The factor at the middle of each class, at least 1; the last class begins where it is 1."""
    reference = rows[-1][2]
    starts = [0.0, *(end for end, _, _ in rows)]
    middles = [round((start + row[0]) / 2, 3) for start, row in zip(starts, rows[:-1], strict=False)]
    factors = [round(max(1.0, factor / reference), 2) for _, _, factor in rows[:-1]]
    return {"speech_s": [*middles, starts[len(rows) - 1]], "factor": [*factors, 1.0]}


if __name__ == "__main__":
    main()
