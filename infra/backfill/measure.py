"""``python -m infra.backfill.measure``: times the pipeline on this machine and writes it into figures.json.

A recording of a second stands for what any file takes, four minutes of speech for what its length adds; each
is scored several times, in turn, on one thread.
"""

import json
import os
import platform
import statistics
import tempfile
import time
from datetime import UTC, datetime

import numpy as np
import soundfile

from aqscore.config import ScorerConfig
from aqscore.pipeline import score_file
from infra.backfill.estimate import FIGURES
from infra.localstack.install import ROOT

LONG = 40  # how often the six seconds of the sample are repeated
ROUNDS = 7


def measure() -> dict[str, float]:
    """Seconds a file, and seconds that a second of audio adds; medians."""
    samples, rate = soundfile.read(ROOT / "examples" / "clean.flac", dtype="int16")
    short, long = samples[:rate], np.tile(samples, LONG)
    _score_s(short, rate)  # loads the model
    rounds = [(_score_s(short, rate), _score_s(long, rate)) for _ in range(ROUNDS)]
    short_s, long_s = map(statistics.median, zip(*rounds, strict=True))
    return {
        "seconds_a_file": round(short_s, 4),
        "seconds_a_second_of_audio": round((long_s - short_s) / (len(long) / rate - 1), 6),
    }


def _score_s(samples: np.ndarray, rate: int) -> float:
    with tempfile.TemporaryFile(suffix=".wav") as file:
        soundfile.write(file, samples, rate, format="WAV")
        file.seek(0)
        started = time.perf_counter()
        score_file(file, ScorerConfig()).model_dump_json()
        return time.perf_counter() - started


def main() -> None:
    figures = json.loads(FIGURES.read_text())
    day = datetime.now(UTC).date()
    source = (
        f"python -m infra.backfill.measure, {day}, {platform.machine()}, one thread, 16 kHz WAV, "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    figures["measured"] = measure() | {"source": source}
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures["measured"], indent=2))


if __name__ == "__main__":
    main()
