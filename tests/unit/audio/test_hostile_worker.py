"""A decoder worker that an attacker controls gets nothing, harms no other recording, and is ended."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from aqscore.audio.decoder_client import DecoderClient
from aqscore.audio.linux_worker import LinuxWorkers
from aqscore.audio.worker_output import MAX_OUTPUT_BYTES
from aqscore.errors import DecoderCrashed, DecodingTooSlow
from aqscore.limits import Limits
from infra.waiting import wait_until
from tests.conftest import EXAMPLES, ROOT
from tests.recordings import titled

HOSTILE = ROOT / "tests" / "hostile"
LIMITS = Limits()
LIMIT_S = 60
SAMPLES = np.full(16_000, 0.25, np.float32)
CLEAN = EXAMPLES / "clean.flac"
# What an attacker gets without the sandbox. Some of it depends on the user and on the system's settings.
SURE_LOOT = {
    "environment", "another file", "a list of files", "the network", "a signal to the client",
    "limits of the client", "a process", "a thread", "a program", "executable memory",
}  # fmt: skip


def hostile_workers(monkeypatch, *folders: Path) -> Iterator[LinuxWorkers]:
    for folder in folders:
        monkeypatch.syspath_prepend(folder)
    pool = LinuxWorkers()
    yield pool
    pool.close()


@pytest.fixture
def workers(monkeypatch):
    yield from hostile_workers(monkeypatch, HOSTILE)


@pytest.fixture
def unconfined(monkeypatch):
    yield from hostile_workers(monkeypatch, HOSTILE, HOSTILE / "unconfined")


@pytest.fixture
def unfiltered(monkeypatch):
    yield from hostile_workers(monkeypatch, HOSTILE, HOSTILE / "unfiltered")


@pytest.fixture
def file_titled(tmp_path):
    def write(title: str) -> Path:
        path = tmp_path / "recording.wav"
        path.write_bytes(titled(title, SAMPLES))
        return path

    return write


def decode(path: Path, workers: LinuxWorkers, limits: Limits = LIMITS) -> np.ndarray:
    with path.open("rb") as file, DecoderClient(file, limits, workers) as client:
        return client.read()[0][:, 0]


def loot(file_titled, workers: LinuxWorkers) -> set[str]:
    with pytest.raises(DecoderCrashed, match="Loot: ") as caught:
        decode(file_titled(f"loot {os.getpid()}"), workers)
    return set(caught.value.message.partition("Loot: ")[2].removesuffix(").").split(", "))


def test_loot_no_file_no_memory_no_network_no_process(file_titled, workers, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert loot(file_titled, workers) == {"nothing"}


def test_without_the_sandbox_there_is_loot(file_titled, unconfined):
    assert loot(file_titled, unconfined) >= SURE_LOOT


def test_where_the_system_refuses_the_filter_files_and_network_stay_shut(file_titled, unfiltered, caplog):
    for _ in range(2):
        found = loot(file_titled, unfiltered)
        assert found.isdisjoint(
            {"environment", "memory", "another file", "a list of files", "the network", "nothing"}
        )
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == [
        "Decoders run without a filter of system calls (Invalid argument). See docs/security.md."
    ]


def test_lie_the_next_recording_is_decoded_by_another_worker(file_titled, workers):
    expected = decode(CLEAN, workers)
    np.testing.assert_array_equal(decode(file_titled("lie"), workers), SAMPLES)
    np.testing.assert_array_equal(decode(CLEAN, workers), expected)


@pytest.mark.parametrize("kind", ["workers", "unconfined"])
def test_shrink_the_shared_memory_keeps_its_size(file_titled, kind, request):
    """Also without the filter of system calls, by its seals. Otherwise this process would die of SIGBUS."""
    np.testing.assert_array_equal(decode(file_titled("shrink"), request.getfixturevalue(kind)), SAMPLES)


@pytest.mark.parametrize("kind", ["workers", "unconfined"])
def test_overwrite_the_recording_can_only_be_read(file_titled, kind, request):
    path = file_titled("overwrite")
    before = path.read_bytes()
    with path.open("r+b") as file, DecoderClient(file, LIMITS, request.getfixturevalue(kind)) as client:
        client.read()
    assert path.read_bytes() == before


def test_block_the_client_keeps_the_time_by_itself(file_titled, workers):
    decode(CLEAN, workers)  # or the fork server's start would take its share of the limit
    with pytest.raises(DecodingTooSlow, match=r"longer than 0\.3 s"):
        decode(file_titled("block"), workers, Limits(max_decode_s=0.3))


@pytest.mark.parametrize(
    ("title", "message"),
    [("poison", "an answer on this file that no intact decoder gives"), ("leave", "stopped answering")],
)
def test_poison_answers_of_another_shape_are_a_crash(file_titled, workers, title, message):
    with pytest.raises(DecoderCrashed, match=message):
        decode(file_titled(title), workers)


def test_daemon_no_process_is_left_behind(file_titled, workers):
    with pytest.raises(DecoderCrashed, match="PermissionError"):
        decode(file_titled("daemon"), workers)


@contextmanager
def ends(worker: int) -> Iterator[None]:
    """Expects the process to be gone afterwards, and ends it in any case: it would use a core for ever."""
    process = Path(f"/proc/{worker}")
    assert process.exists()
    yield
    try:
        wait_until(lambda: not process.exists(), "the end of the worker", LIMIT_S)
    finally:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


@pytest.mark.parametrize("folders", [[HOSTILE], [HOSTILE / "unconfined", HOSTILE]], ids=["", "unconfined"])
def test_daemon_a_worker_ends_with_its_client(file_titled, folders):
    """Even if the client is killed while a decoder hangs; the fork server ends an unconfined one too."""
    script = f"""
import sys
sys.path[:0] = {list(map(str, folders))!r}
from aqscore.audio.decoder_client import DecoderClient
from aqscore.limits import Limits
with open({str(file_titled("block"))!r}, "rb") as file, DecoderClient(file, Limits()) as client:
    print(client.pid, flush=True)
    client.read()
"""
    client = subprocess.Popen(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(ROOT / "function")},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with client, ends(int(client.stdout.readline())):
        client.send_signal(signal.SIGKILL)


def test_daemon_a_worker_ends_with_the_fork_server(workers):
    with CLEAN.open("rb") as file, DecoderClient(file, LIMITS, workers) as client:
        status = Path(f"/proc/{client.pid}/stat").read_text().rpartition(")")[2].split()
        with ends(client.pid):
            os.kill(int(status[1]), signal.SIGKILL)


def test_chatter_is_logged_in_part_and_without_control_characters(file_titled, workers, caplog, capfd):
    caplog.set_level(logging.INFO)
    decode(file_titled("chatter"), workers)
    [record] = caplog.records
    assert record.decoder_output.startswith("?]0;title? noise | ?]0;title? noise")
    assert len(record.decoder_output) < 2 * MAX_OUTPUT_BYTES
    assert record.decoder_output.isprintable()
    assert capfd.readouterr() == ("", "")
