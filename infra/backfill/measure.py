"""Times the pipeline on this machine and updates figures.json: ``python -m infra.backfill.measure``.

Scores one second and four minutes of speech several times, in turn, on one thread. The first gives the time
that any file takes; the difference gives the time that each second of audio adds.
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

REPEATS = 40  # of the six seconds of the example
ROUNDS = 7


def measure() -> dict[str, float]:
    """Seconds for any file, and seconds that each second of audio adds; medians."""
    samples, rate = soundfile.read(ROOT / "examples" / "clean.flac", dtype="int16")
    short, long = samples[:rate], np.tile(samples, REPEATS)
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
