"""Warm latency, bytes in to JSON out, by length and by format, on one thread."""

from functools import partial

from aqscore.config import ScorerConfig
from benchmarks.measuring import in_turn, milliseconds, short, table
from benchmarks.recordings import FORMATS, encoded, report_json, wav

ROUNDS = {1: 60, 10: 60, 60: 20, 600: 5, 3600: 3}  # by seconds of audio
FORMAT_ROUNDS = 20
FORMAT_S = 10


def run(results: dict) -> dict:
    settings = ScorerConfig()
    by_length: dict[str, dict[str, float]] = {}
    for length_s, rounds in ROUNDS.items():
        data = wav(length_s)
        by_length |= in_turn({str(length_s): partial(report_json, data, settings)}, rounds)
    recordings = {name: encoded(name, FORMAT_S) for name in FORMATS}
    by_format = in_turn(
        {name: partial(report_json, data, settings) for name, data in recordings.items()}, FORMAT_ROUNDS
    )
    sizes = {name: len(data) for name, data in recordings.items()}
    return {"by_length": by_length, "by_format": by_format, "format_bytes": sizes, "format_s": FORMAT_S}


def show(result: dict) -> str:
    lengths = table(
        ["Audio", "Milliseconds: median (min to max)", "Seconds of audio a second"],
        [
            [f"{int(length_s):,} s", milliseconds(times), short(int(length_s) / times["median"])]
            for length_s, times in result["by_length"].items()
        ],
    )
    formats = table(
        [f"{result['format_s']} s of", "Milliseconds", "Bytes a second"],
        [
            [name, milliseconds(times), f"{result['format_bytes'][name] / times['median']:,.0f}"]
            for name, times in result["by_format"].items()
        ],
    )
    return f"{lengths}\n\n{formats}"
