"""infra.localstack.stack: reading a result that is replaced meanwhile, with a fake S3."""

import io
from collections import defaultdict
from types import SimpleNamespace

from botocore.exceptions import ResponseStreamingError

from infra.localstack.stack import Stack


class InterruptedBody(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise ResponseStreamingError(error="Connection broken: IncompleteRead(0 bytes read)")


def test_an_interrupted_read_of_a_result_is_repeated():
    bodies = [InterruptedBody(), io.BytesIO(b'{"score": 3.5}')]
    stack = Stack("http://localhost", defaultdict(str))
    stack.__dict__["s3"] = SimpleNamespace(
        get_object=lambda **_: {"Body": bodies.pop(0)}, exceptions=SimpleNamespace(NoSuchKey=KeyError)
    )
    assert stack.read_result("calls/a.wav.json") == {"score": 3.5}
    assert not bodies
