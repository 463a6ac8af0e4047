"""The decoder client: a file that harms its worker harms no other. With each transport."""

import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from aqscore.audio.decoder_client import DecoderClient
from aqscore.audio.findings import Findings
from aqscore.audio.linux_worker import LinuxWorkers
from aqscore.audio.portable_worker import PortableWorkers
from aqscore.audio.source import MAX_BLOCK_SAMPLES
from aqscore.audio.worker_handle import Task, WorkerHandle, WorkerPool
from aqscore.errors import (
    DecoderCrashed,
    DecoderLost,
    LimitExceeded,
    PermanentError,
)
from aqscore.limits import Limits
from infra.encoders import by_ffmpeg
from tests.conftest import EXAMPLES, ROOT
from tests.recordings import titled

LIMITS = Limits()
CLEAN = EXAMPLES / "clean.flac"


@pytest.fixture(params=[LinuxWorkers, PortableWorkers], ids=["linux", "portable"])
def transport(request) -> Callable[[], WorkerPool]:
    return request.param


@pytest.fixture
def workers(transport, monkeypatch) -> Iterator[WorkerPool]:
    """New workers that have tests/hostile in their path."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "hostile")
    pool = transport()
    yield pool
    pool.close()


@pytest.fixture
def file_titled(tmp_path):
    """Writes audio into a WAV file with a title."""

    def write(title: str, seconds: float = 1.0) -> Path:
        path = tmp_path / f"{title}.wav"
        path.write_bytes(titled(title, np.full(round(seconds * 16_000), 0.25, np.float32)))
        return path

    return write


@pytest.fixture
def ctrl_c() -> Iterator[Callable[[float], threading.Timer]]:
    """Timers of a Ctrl-C in this thread, even where a shell's "&" made the tests ignore it."""
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda after_s: threading.Timer(
        after_s, signal.pthread_kill, [threading.get_ident(), signal.SIGINT]
    )
    signal.signal(signal.SIGINT, earlier)


def decode(path: Path, workers: WorkerPool, limits: Limits = LIMITS) -> np.ndarray:
    with path.open("rb") as file, DecoderClient(file, limits, workers) as client:
        blocks = [client.read()[0].copy()]
        while len(blocks[-1]):
            blocks.append(client.read()[0].copy())
        return np.concatenate(blocks)[:, 0]


def test_a_crash_costs_one_file(file_titled, workers):
    with pytest.raises(DecoderCrashed, match=r"crashed on this file \(SIGSEGV\)"):
        decode(file_titled("crash"), workers)
    assert len(decode(file_titled("harmless"), workers)) == 16_000


def test_a_worker_that_dies_after_its_last_block_costs_nothing(file_titled, workers):
    with file_titled("harmless").open("rb") as file, DecoderClient(file, LIMITS, workers) as client:
        samples, _ = client.read()
        assert len(samples) == 16_000
        os.kill(client.pid, signal.SIGSEGV)
    assert len(decode(file_titled("harmless"), workers)) == 16_000


@pytest.mark.parametrize("title", ["hang", "sleep"])
def test_a_decoder_that_never_returns_is_ended(file_titled, workers, title):
    decode(file_titled("harmless"), workers)  # or the worker's start would take its share of the limit
    with pytest.raises(LimitExceeded, match=r"longer than 0\.3 s, which is the limit"):
        decode(file_titled(title), workers, replace(LIMITS, max_decode_s=0.3))
    assert len(decode(file_titled("harmless"), workers)) == 16_000


def test_the_time_of_all_blocks_counts_together(file_titled, workers):
    """Thirty blocks, none of which takes nearly as long as the limit by itself."""
    path = file_titled("slow", seconds=30 * MAX_BLOCK_SAMPLES / 16_000)
    decode(file_titled("harmless"), workers)
    with pytest.raises(LimitExceeded, match=r"longer than 0\.4 s"):
        decode(path, workers, replace(LIMITS, max_decode_s=0.4))


@pytest.mark.parametrize("transport", [LinuxWorkers])  # the other one has no limit of memory
def test_memory_is_limited(file_titled, workers):
    limits = Limits(max_memory_bytes=100_000_000)
    with pytest.raises(LimitExceeded, match="more memory than the limit allows"):
        decode(file_titled("exhaust memory"), workers, limits)
    assert len(decode(file_titled("harmless"), workers, limits)) == 16_000


def test_whatever_a_decoder_raises_is_the_fault_of_the_file(file_titled, workers):
    with pytest.raises(DecoderCrashed, match=r"failed on this file \(RuntimeError: A bug in the worker\)"):
        decode(file_titled("bug"), workers)
    assert len(decode(file_titled("harmless"), workers)) == 16_000


def test_a_position_behind_the_largest_file_is_the_fault_of_the_file(workers, tmp_path):
    """Some file systems fail such a seek with EINVAL, where a memfd does not."""
    path = tmp_path / "a.mkv"
    path.write_bytes(
        with_tags_at(2**50, by_ffmpeg(np.zeros(16_000, np.float32), "matroska", "libopus", 48_000))
    )
    with suppress(PermanentError):  # decoded or not: a property of the file
        decode(path, workers)


def with_tags_at(position: int, recording: bytes) -> bytes:
    """A Matroska file whose SeekHead names that position of the Tags, and nothing else (RFC 9559, 5.1.1)."""
    start = recording.index(b"\x11\x4d\x9b\x74")
    void = recording.index(b"\xec\x01", start)  # the space that the muxer reserves behind its SeekHead
    end = void + 9 + int.from_bytes(recording[void + 2 : void + 9])
    seek = b"\x53\xab\x84\x12\x54\xc3\x67" + b"\x53\xac\x88" + position.to_bytes(8)
    head = b"\x4d\xbb" + bytes([0x80 + len(seek)]) + seek
    head = recording[start : start + 4] + bytes([0x80 + len(head)]) + head
    padding = end - start - len(head) - 9
    return recording[:start] + head + b"\xec\x01" + padding.to_bytes(7) + bytes(padding) + recording[end:]


@pytest.mark.parametrize("title", ["killed", "ended"])
def test_a_worker_that_the_file_did_not_end_is_a_retryable_error(file_titled, workers, title, capfd):
    with pytest.raises(DecoderLost, match="ended with status"):
        decode(file_titled(title), workers)


def test_each_recording_has_a_worker_of_its_own(workers):
    def pid() -> int:
        with CLEAN.open("rb") as file, DecoderClient(file, LIMITS, workers) as client:
            client.read()
            return client.pid

    assert pid() != pid()


def test_threads_that_decode_at_once_get_a_worker_each(workers, recorded, rng):
    paths = [
        recorded(0.1 * rng.standard_normal(8_000 * number), f"{number}.flac")
        for number in (1, 3, 40, 5, 60, 2)
    ]
    expected = [decode(path, workers) for path in paths]
    with ThreadPoolExecutor(len(paths)) as threads:
        for _ in range(5):
            found = threads.map(lambda path: decode(path, workers), paths)
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_array_equal(one, other)


def test_closing_the_recording_ends_its_worker(workers):
    """One that lived on would keep a deleted temporary file in Lambda's /tmp."""
    with CLEAN.open("rb") as file, DecoderClient(file, LIMITS, workers) as client:
        process = Path(f"/proc/{client.pid}")
        assert process.exists()
    while process.exists():
        time.sleep(0.01)


@pytest.mark.parametrize("transport", [PortableWorkers])  # test_hostile_worker.py has the other one
def test_the_worker_gets_no_credentials(workers, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with CLEAN.open("rb") as file, DecoderClient(file, LIMITS, workers) as client:
        assert b"AWS_" not in Path(f"/proc/{client.pid}/environ").read_bytes()


def test_a_file_without_a_path_is_decoded_and_leaves_no_copy(workers, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    expected = decode(CLEAN, workers)
    path = tmp_path / "deleted.flac"
    path.write_bytes(CLEAN.read_bytes())
    with path.open("rb") as file:
        path.unlink()
        with DecoderClient(file, LIMITS, workers) as client:
            np.testing.assert_array_equal(client.read()[0][:, 0], expected)
    assert not list(tmp_path.iterdir())


def test_where_no_worker_can_be_started_the_error_is_retryable(workers, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(DecoderLost, match="No process could be started"):
        workers.prestart()
    assert len(sorted(Path("/proc/self/fd").iterdir())) <= len(before) + 1  # multiprocessing's tracker


@pytest.mark.parametrize("transport", [LinuxWorkers])
def test_where_no_descriptor_is_left_none_is_lost(workers):
    workers.prestart()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with CLEAN.open("rb") as file:
        before = sorted(Path("/proc/self/fd").iterdir())
        for limit in range(3, max(int(each.name) for each in before) + 20):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limits[1]))
            try:
                client = DecoderClient(file, LIMITS, workers)
            except DecoderLost as error:
                assert "Too many open files" in error.message
            else:
                break
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            assert sorted(Path("/proc/self/fd").iterdir()) == before
        client.close()
        assert sorted(Path("/proc/self/fd").iterdir()) == before


@pytest.mark.parametrize("transport", [LinuxWorkers])
def test_an_interrupt_while_the_fork_server_starts_leaves_no_answer_either(workers, ctrl_c):
    interrupt = ctrl_c(0.02)
    workers.prestart()
    with pytest.raises(KeyboardInterrupt):
        interrupt.start()
        decode(CLEAN, workers)  # which waits for an interpreter to start
    with CLEAN.open("rb") as file, DecoderClient(file, LIMITS, workers) as client:
        os.kill(client.pid, signal.SIGKILL)  # and not a worker of the interrupted request
        with pytest.raises(DecoderLost):
            client.read()


def test_an_interrupt_leaves_no_answer_for_the_next_file(workers, file_titled, ctrl_c):
    """Ctrl-C between a request and its answer: that answer must not be taken for one to another request."""
    expected = decode(CLEAN, workers)
    interrupt = ctrl_c(0.3)
    with pytest.raises(KeyboardInterrupt):
        interrupt.start()
        decode(file_titled("sleep"), workers)
    np.testing.assert_array_equal(decode(CLEAN, workers), expected)


class Scripted(WorkerPool, WorkerHandle):
    """A pool with one worker at a time, whose answers are known in advance."""

    pid = 1

    def __init__(self, *answers: dict) -> None:
        self._answers = list(answers)
        self.requests: list[dict | str] = []

    def prestart(self) -> None: ...

    def start(self, task: Task) -> WorkerHandle:
        self.requests.append("with FFmpeg" if task.ffmpeg else "start")
        return self

    def ask(self, request: dict, limit_s: float) -> bytes:
        self.requests.append(request)
        return json.dumps(self._answers.pop(0)).encode()

    def samples(self, count: int) -> np.ndarray:
        return np.full(count, len(self.requests), np.float32)

    def end(self) -> str:
        return ""

    def close(self) -> None: ...

    def forget(self) -> None: ...


def test_a_file_that_needs_ffmpeg_in_its_middle_is_read_again_up_to_there():
    """FFmpeg can't be loaded by a worker that is confined already."""
    with CLEAN.open("rb") as file, DecoderClient(file, LIMITS) as client:
        opened = {name: getattr(client, name) for name in
                  ("container", "codec", "sample_rate_hz", "channels", "tracks", "track")}  # fmt: skip
    opened["unfiltered"] = None
    workers = Scripted(opened, block(100), NEEDS, opened, block(60), block(40), block(7))
    with CLEAN.open("rb") as file, DecoderClient(file, LIMITS, workers) as client:
        assert [len(client.read()[0]) for _ in range(2)] == [100, 7]
    read, request = {"read": MAX_BLOCK_SAMPLES}, {"open": True, "track": None}
    assert workers.requests == [
        "start", request, read, read, "with FFmpeg", request, {"read": 100}, {"read": 40}, read
    ]  # fmt: skip
    with CLEAN.open("rb") as file, pytest.raises(DecoderCrashed, match="no intact decoder"):
        DecoderClient(file, LIMITS, Scripted(NEEDS, NEEDS))


NEEDS = {"needs": "ffmpeg"}


def block(frames: int) -> dict:
    return {"frames": frames, "broken": None, "findings": asdict(Findings()), "progress": 0.5}
