"""The portable transport, forced in Linux: scoring works without the features that other systems lack."""

import subprocess
import sys

from aqscore.audio import worker_pool
from aqscore.audio.linux_worker import LinuxWorker
from aqscore.audio.portable_worker import PortableWorker
from tests.conftest import EXAMPLES, ROOT

SCRIPT = f"""
import os, socket, sys
from pathlib import Path

del os.memfd_create, os.pread
del socket.send_fds, socket.recv_fds, socket.SOCK_SEQPACKET
sys.modules["resource"] = None
from aqscore import score
from aqscore.audio.worker_pool import default_pool

path = Path({str(EXAMPLES / "noisy.flac")!r})
same = score(path).score == score(path.read_bytes()).score
print(same, [type(worker).__name__ for worker in default_pool.idle])
"""


def test_scoring_works_without_the_features_of_linux():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("True ['PortableWorker']\n", "")


def test_the_system_decides_on_the_transport(monkeypatch):
    for platform, kind in (("linux", LinuxWorker), ("darwin", PortableWorker)):
        monkeypatch.setattr(worker_pool.sys, "platform", platform)
        worker = worker_pool.start_worker(100_000_000)
        assert type(worker) is kind
        worker.end()
