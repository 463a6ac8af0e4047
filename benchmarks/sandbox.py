"""What a worker of its own for each recording costs, and what its sandbox does: processor time, in turn.

Processor time, of all processes together, depends less on what else the machine does than elapsed time.
"""

from functools import partial

from benchmarks.measuring import in_fresh_process, milliseconds, numbers_in_turn, ratio, table
from benchmarks.recordings import saved

ROUNDS = 5  # of processes, each of which measures INNER_ROUNDS times
INNER_ROUNDS = 40
LENGTH_S = 10
# In a process that is prepared as the fork server is; "reused" is a worker for all recordings.
RECORDINGS = """
import gc, json, os, resource
def spent():
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)
from aqscore.audio import fork_server, sandbox
from aqscore.audio.worker_main import DecoderServer
fork_server.prepare()
gc.freeze()
before = spent()
if {sandboxed}:
    sandbox.hide_memory()
    sandbox.leave_network()
prepare_s = spent() - before
memory = bytearray(1 << 20)
def decode():
    file = os.open({path!r}, os.O_RDONLY)
    if {sandboxed}:
        sandbox.confine(256_000_000, 450.0)
    server = DecoderServer(memory)
    server.answer({{"open": True, "descriptor": file}})
    while server.answer({{"read": 1 << 18}})["frames"]:
        pass
    os.close(file)
def forked():
    child = os.fork()
    if child == 0:
        decode()
        os._exit(0)
    os.waitpid(child, 0)
work = forked if {forked} else decode
work()
before = spent()
for _ in range({rounds}):
    work()
print(json.dumps({{"prepare_s": prepare_s, "recording_s": (spent() - before) / {rounds}}}))
"""
START = """
import json, resource
import aqscore.audio.fork_server
aqscore.audio.fork_server.prepare()
use = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"start_s": use.ru_utime + use.ru_stime}))
"""
KINDS = {
    "reused": ("One worker for all, no sandbox: before", False, False),
    "forked": ("A fork for each, no sandbox", True, False),
    "confined": ("A fork for each, confined: now", True, True),
}


def run(results: dict) -> dict:
    with saved(LENGTH_S) as path:
        tasks = {
            name: partial(
                in_fresh_process,
                RECORDINGS.format(path=str(path), forked=forked, sandboxed=confined, rounds=INNER_ROUNDS),
            )
            for name, (_, forked, confined) in KINDS.items()
        }
        found = numbers_in_turn(tasks, ROUNDS)
    start = numbers_in_turn({"start": partial(in_fresh_process, START)}, ROUNDS)["start"]["start_s"]
    return {"kinds": found, "interpreter": start}


def show(result: dict) -> str:
    kinds, interpreter = result["kinds"], result["interpreter"]
    rows = [
        [title, milliseconds(kinds[name]["recording_s"]), milliseconds(kinds[name]["prepare_s"])]
        for name, (title, *_) in KINDS.items()
    ]
    rows.append(["Interpreter and libraries for each, without decoding", milliseconds(interpreter), ""])
    times = ratio(interpreter, kinds["confined"]["recording_s"])
    head = [f"Worker: milliseconds of processor time, {LENGTH_S} s of WAV", "each recording", "once"]
    return (
        f"{table(head, rows)}\n\nAn interpreter for each recording would take {times:.0f} times as long as a "
        "confined fork that decodes it. One that waits prepared takes the same time earlier, and the fork "
        "server takes it once."
    )
