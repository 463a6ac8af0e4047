"""What the deployed stack's helper makes of an answer that breaks off; S3 is stood in for here."""

import io
from collections import defaultdict
from types import SimpleNamespace

from botocore.exceptions import ResponseStreamingError

from infra.localstack.stack import Stack


class BrokenOff(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise ResponseStreamingError(error="Connection broken: IncompleteRead(0 bytes read)")


def test_a_result_that_is_replaced_while_it_is_read_is_read_again():
    bodies = [BrokenOff(), io.BytesIO(b'{"score": 3.5}')]
    stack = Stack("http://localhost", defaultdict(str))
    stack.__dict__["s3"] = SimpleNamespace(
        get_object=lambda **_: {"Body": bodies.pop(0)}, exceptions=SimpleNamespace(NoSuchKey=KeyError)
    )
    assert stack.read_result("calls/a.wav.json") == {"score": 3.5}
    assert not bodies
