"""The portable transport, forced in Linux: scoring works without the features that other systems lack."""

import errno
import io
import os
import subprocess
import sys

import pytest

from aqscore.audio import worker_pool
from aqscore.audio.linux_worker import LinuxWorkers
from aqscore.audio.portable_worker import PortableWorkers
from aqscore.audio.worker_handle import Task
from aqscore.errors import DecoderLost
from aqscore.limits import Limits
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
print(same, type(default_pool).__name__)
"""


def test_scoring_works_without_the_features_of_linux():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("True PortableWorkers\n", "")


def test_the_system_decides_on_the_transport(monkeypatch):
    for platform, kind in (("linux", LinuxWorkers), ("darwin", PortableWorkers)):
        monkeypatch.setattr(worker_pool.sys, "platform", platform)
        assert type(worker_pool.new_pool()) is kind


class Unreadable(io.BytesIO):
    """A recording without a path, whose copy fails."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def read(self, size: int | None = -1) -> bytes:
        raise self.error


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), DecoderLost),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=["no space", "Ctrl-C"],
)
def test_a_copy_that_fails_is_deleted(tmp_path, monkeypatch, error, raised):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pool = PortableWorkers()
    pool.prestart()
    with pytest.raises(raised):
        pool.start(Task(Unreadable(error), Limits().max_memory_bytes, 1.0))
    assert not list(tmp_path.iterdir())
    pool.close()
