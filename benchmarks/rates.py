"""Processor time by format and size, beside the time that aqscore.aws expects of a file."""

import tempfile
from pathlib import Path

from aqscore.aws.object_scorer import BYTES_PER_S, OVERHEAD_S
from benchmarks.measuring import in_fresh_process, short, table
from benchmarks.recordings import FORMATS, encoded

AUDIO_S = 600
SCORED = """
import json, os, sys, time
from pathlib import Path
import aqscore.aws.handler as handler
from aqscore.pipeline import score_file

def spent_by(process):
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

def spent():
    processes = [spent_by(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return time.process_time() + sum(seconds for parent, seconds in processes if parent == os.getpid())

before = spent()
with open(sys.argv[1], "rb") as file:
    score_file(file, handler.settings.scorer)
print(json.dumps({"processor_s": spent() - before}))
"""


def run(results: dict) -> dict:
    found = {}
    for name in FORMATS:
        data = encoded(name, AUDIO_S)
        with tempfile.NamedTemporaryFile() as file:
            Path(file.name).write_bytes(data)
            found[name] = {"bytes": len(data), **in_fresh_process(SCORED, file.name)}
    return found


def show(found: dict) -> str:
    rows = [
        (
            name,
            short(each["bytes"] / 1e6),
            short(each["processor_s"]),
            short(AUDIO_S / each["processor_s"]),
            short(each["bytes"] / 1e6 / each["processor_s"]),
            short(OVERHEAD_S + each["bytes"] / BYTES_PER_S),
        )
        for name, each in found.items()
    ]
    heads = ["ten minutes as", "MB", "processor s", "times real time", "MB a second", "expected s"]
    return table(heads, rows)
