"""The decoder worker, inside this process: requests and answers."""

import os

import numpy as np

from aqscore.audio.worker_main import DecoderServer
from tests.conftest import EXAMPLES


class Requests:
    """A channel that holds all requests in advance."""

    def __init__(self, *requests: dict) -> None:
        self._requests = list(requests)
        self.answers: list[dict] = []

    def receive(self) -> dict | None:
        return self._requests.pop(0) if self._requests else None

    def send(self, answer: dict) -> None:
        self.answers.append(answer)


def opened(path) -> dict:
    return {"open": True, "descriptor": os.open(path, os.O_RDONLY)}


def test_a_file_is_opened_and_read(speech):
    memory = np.zeros(1_000, np.float32)
    channel = Requests(opened(EXAMPLES / "clean.flac"), {"read": 1_000})
    DecoderServer(memory).run(channel)
    format_, read = channel.answers
    assert (format_["container"], format_["channels"], format_["tracks"]) == ("FLAC", 1, 1)
    assert (read["frames"], read["broken"], read["findings"]["incomplete"]) == (1_000, None, False)
    np.testing.assert_array_equal(memory, speech[:1_000])


def test_a_file_that_cannot_be_decoded_is_answered_with_an_error(tmp_path):
    (tmp_path / "a.wav").write_text("no audio " * 100)
    channel = Requests(opened(tmp_path / "a.wav"))
    DecoderServer(bytearray(8)).run(channel)
    [error] = channel.answers
    assert error["error"] == "unsupported_format"
    assert "can't be read as audio" in error["message"]


def test_a_lack_of_memory_is_answered_with_an_error(monkeypatch):
    def fail(descriptor: int, track: int | None) -> None:
        raise MemoryError

    monkeypatch.setattr("aqscore.audio.worker_main.open_decoder", fail)
    answer = DecoderServer(bytearray(8)).answer({"open": True, "descriptor": None})
    assert answer["error"] == "limit_exceeded"


def test_a_client_that_is_gone_ends_the_worker_quietly():
    class Gone(Requests):
        def receive(self) -> dict | None:
            raise ConnectionResetError

    DecoderServer(bytearray(8)).run(Gone())
