"""isolation.py: what a recording does to its decoder stays there, and the next one is decoded."""

import errno
import itertools
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aqscore.audio import client as isolation
from aqscore.audio.client import Decoding
from aqscore.audio.recording import Recording
from aqscore.errors import DecoderCrashed, DecoderLost, LimitExceeded, UnsupportedFormat
from aqscore.limits import Limits
from tests.conftest import EXAMPLES, ROOT
from tests.recordings import titled

_sizes = itertools.count(100_000_000)


@pytest.fixture
def limits(monkeypatch) -> Limits:
    """Memory that no other test asks for, so that its processes are new, with tests/hostile in them."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "hostile")
    return Limits(max_memory_bytes=next(_sizes))


@pytest.fixture
def file_titled(tmp_path):
    """Writes audio into a WAV file with a title."""

    def write(title: str, seconds: float = 1.0) -> Path:
        path = tmp_path / f"{title}.wav"
        path.write_bytes(titled(title, np.full(round(seconds * 16_000), 0.25, np.float32)))
        return path

    return write


def decode(path: Path, limits: Limits) -> np.ndarray:
    with path.open("rb") as file, Recording(file, limits) as recording:
        return np.concatenate(list(recording.blocks()))


def test_a_crash_is_the_files_own(file_titled, limits):
    with pytest.raises(DecoderCrashed, match=r"crashed on this file \(SIGSEGV\)"):
        decode(file_titled("crash"), limits)
    assert len(decode(file_titled("harmless"), limits)) == 16_000


def test_a_decoder_that_dies_when_its_work_is_done_takes_nothing_with_it(file_titled, limits):
    with file_titled("harmless").open("rb") as file, Decoding(file.fileno(), limits) as decoding:
        samples, _ = decoding.read()
        assert len(samples) == 16_000
        os.kill(decoding._process._process.pid, signal.SIGSEGV)
    assert len(decode(file_titled("harmless"), limits)) == 16_000


@pytest.mark.parametrize("title", ["hang", "sleep"])
def test_a_decoder_that_never_returns_is_ended(file_titled, limits, title):
    decode(
        file_titled("harmless"), limits
    )  # its process has started: that would take its share of a short limit
    with pytest.raises(LimitExceeded, match=r"longer than 0\.3 s, which is the limit"):
        decode(file_titled(title), replace(limits, max_decode_s=0.3))
    assert len(decode(file_titled("harmless"), limits)) == 16_000


def test_the_time_of_all_blocks_counts_together(file_titled, limits):
    """Thirty blocks, none of which takes nearly as long as the limit by itself."""
    path = file_titled("dawdle", seconds=30 * isolation.BLOCK_SAMPLES / 16_000)
    decode(file_titled("harmless"), limits)
    with pytest.raises(LimitExceeded, match=r"longer than 0\.4 s"):
        decode(path, replace(limits, max_decode_s=0.4))


def test_a_hunger_for_memory_is_stilled_at_the_limit(file_titled, limits):
    with pytest.raises(LimitExceeded, match="more memory than the limit allows"):
        decode(file_titled("eat"), limits)
    assert len(decode(file_titled("harmless"), limits)) == 16_000


@pytest.mark.parametrize("title", ["killed", "ended", "bug"])
def test_what_the_file_is_not_to_blame_for_is_tried_again(file_titled, limits, title, capfd):
    with pytest.raises(DecoderLost, match="ended with status"):
        decode(file_titled(title), limits)


def test_one_process_decodes_many_recordings(limits):
    def process() -> int:
        with (EXAMPLES / "clean.flac").open("rb") as file, Decoding(file.fileno(), limits) as decoding:
            decoding.read()
            return decoding._process._process.pid

    assert process() == process()


def test_threads_that_decode_at_once_get_each_their_own(limits, recorded, rng):
    paths = [
        recorded(0.1 * rng.standard_normal(8_000 * number), f"{number}.flac")
        for number in (1, 3, 40, 5, 60, 2)
    ]
    expected = [decode(path, limits) for path in paths]
    with ThreadPoolExecutor(len(paths)) as threads:
        for _ in range(5):
            for one, other in zip(
                threads.map(lambda path: decode(path, limits), paths), expected, strict=True
            ):
                np.testing.assert_array_equal(one, other)
    assert (
        len([each for each in isolation._idle if each.memory_bytes == limits.max_memory_bytes])
        <= isolation.IDLE
    )


def test_one_that_met_a_broken_file_is_replaced(recorded, limits, rng):
    def process(path: Path) -> int:
        with path.open("rb") as file, Decoding(file.fileno(), limits) as decoding:
            while len(decoding.read()[0]):
                pass
            return decoding._process._process.pid

    whole = recorded(0.1 * rng.standard_normal(64_000), "whole.flac")
    data = whole.read_bytes()
    cut = whole.with_name("cut.flac")
    cut.write_bytes(data[: len(data) // 2])
    first = process(whole)
    assert process(cut) == first
    assert process(whole) != first


def test_text_costs_no_process(tmp_path, limits):
    path = tmp_path / "notes.wav"
    path.write_text("no audio " * 100)
    with (EXAMPLES / "clean.flac").open("rb") as file, Decoding(file.fileno(), limits):
        pass
    before = [process for process in isolation._idle if process.memory_bytes == limits.max_memory_bytes]
    with pytest.raises(UnsupportedFormat), path.open("rb") as file:
        Decoding(file.fileno(), limits)
    assert before == [p for p in isolation._idle if p.memory_bytes == limits.max_memory_bytes]


def test_the_decoder_lets_go_of_the_file(limits):
    """Or a deleted temporary file would go on filling Lambda's /tmp."""
    with (EXAMPLES / "clean.flac").open("rb") as file, Decoding(file.fileno(), limits) as decoding:
        open_files = Path(f"/proc/{decoding._process._process.pid}/fd")
        assert EXAMPLES / "clean.flac" in [each.readlink() for each in open_files.iterdir()]
    assert EXAMPLES / "clean.flac" not in [each.readlink() for each in open_files.iterdir()]


def test_the_decoder_is_not_given_the_functions_credentials(limits, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with (EXAMPLES / "clean.flac").open("rb") as file, Decoding(file.fileno(), limits) as decoding:
        pid = decoding._process._process.pid
        assert b"AWS_" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_a_process_that_was_killed_while_idle_is_not_used(limits):
    isolation.start(limits)
    [waiting] = [process for process in isolation._idle if process.memory_bytes == limits.max_memory_bytes]
    os.kill(waiting._process.pid, 9)
    waiting.wait()
    with (EXAMPLES / "clean.flac").open("rb") as file, Decoding(file.fileno(), limits) as decoding:
        assert len(decoding.read()[0])


def _no_descriptor_is_left(*_) -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.parametrize("short_of", ["memfd_create", "ftruncate", None])
def test_where_no_process_can_be_started_it_is_ours_to_retry(limits, monkeypatch, short_of):
    if short_of:
        monkeypatch.setattr(isolation.os, short_of, _no_descriptor_is_left)
    monkeypatch.setattr(isolation.sys, "executable", "/nowhere/python")
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(DecoderLost, match="No process could be started"):
        isolation.start(limits)
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_a_reader_that_was_interrupted_leaves_nothing_for_the_next(limits, monkeypatch):
    """Ctrl-C between a request and its answer: the answer must not be taken for that of another request."""
    path = EXAMPLES / "clean.flac"
    expected = decode(path, limits)

    def interrupted(process, request, descriptors):
        isolation.socket.send_fds(process._channel, [isolation.json.dumps(request).encode()], descriptors)
        raise KeyboardInterrupt

    with (
        path.open("rb") as file,
        pytest.raises(KeyboardInterrupt),
        Decoding(file.fileno(), limits) as decoding,
    ):
        monkeypatch.setattr(isolation._Process, "ask", interrupted)
        try:
            decoding.read()
        finally:
            monkeypatch.undo()
    np.testing.assert_array_equal(decode(path, limits), expected)
