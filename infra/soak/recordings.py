"""The objects of a fault run: recordings, some of them corrupt or out of reach, and the expected results."""

import io
import random
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

import numpy as np
import soundfile

from aqscore.config import ScorerConfig
from aqscore.errors import LimitExceeded, ObjectArchived, ObjectUnreadable, PermanentError
from aqscore.pipeline import score_file
from infra.localstack.install import ROOT
from infra.soak.long_flac import long_flac

RATE = 16_000
FORMATS = ("WAV", "FLAC", "OGG", "MP3")
NAMES = ("{:04d}.{}", "calls/{:04d} a+b.{}", "录音/{:04d} 50%25.{}", "{:04d}?x=1&y#z.{}")
CORRUPT_SHARE = 0.05
REPEATED_SHARE = 0.1
OVERWRITTEN_SHARE = 0.15
LONG_HOURS = 6.0  # of silence at 384 kHz: minutes of processor time


class Change(Enum):
    """What happens to an object after its last upload."""

    NONE = "none"
    RESTORED = "restored"  # from an archive
    ROLLED_BACK = "rolled back"  # its newest version is deleted, and a message asks for the object


# Kinds of objects that are no ordinary recordings, and their shares. A run has at least one of each.
SHARES = {
    "archived": 0.02,
    "restored": 0.02,
    "with a caller's key": 0.02,
    "rolled back": 0.02,
    "folder": 0.02,
    "too long": 0.003,
}
type Result = tuple[str, object, object]  # ("score", number, verdict) or ("error", type, None)


@dataclass(frozen=True)
class Body:
    """The bytes of one version, with S3's options for its upload."""

    content: bytes
    options: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def expected(self) -> Result:
        """The pipeline's result for these bytes."""
        with tempfile.TemporaryFile() as file:
            file.write(self.content)
            try:
                scored = score_file(file, ScorerConfig())
            except PermanentError as error:
                return "error", error.type, None
        return "score", scored.score, scored.verdict


@dataclass(frozen=True)
class Dropped:
    """An object: the bodies that are uploaded under its key, one after the other, and what happens then.

    ``error`` is the type of its error record where the pipeline doesn't decide. A folder has no result.
    """

    bodies: list[Body]
    change: Change = Change.NONE
    error: str | None = None
    is_folder: bool = False

    @property
    def current(self) -> int:
        """The number of the version that is current in the end."""
        return len(self.bodies) - (2 if self.change is Change.ROLLED_BACK else 1)

    @property
    def expected(self) -> Result | None:
        """The result of the version that is current in the end."""
        if self.is_folder:
            return None
        return ("error", self.error, None) if self.error else self.bodies[self.current].expected


def recordings(count: int, seed: int) -> dict[str, Dropped]:
    """Key -> object, ``count`` of them."""
    draw = random.Random(seed)
    voices = [
        soundfile.read(ROOT / "examples" / name, dtype="float32")[0] for name in ("clean.flac", "noisy.flac")
    ]
    kinds = [kind for kind, share in SHARES.items() for _ in range(max(1, round(share * count)))]
    kinds += ["ordinary"] * (count - len(kinds))
    draw.shuffle(kinds)
    found = {}
    for number, kind in enumerate(kinds):
        encoding = draw.choice(FORMATS)
        key = draw.choice(NAMES).format(number, encoding.lower())
        bodies = [_body(draw, voices, encoding)]
        if draw.random() < REPEATED_SHARE:
            bodies.append(bodies[0])
        elif draw.random() < OVERWRITTEN_SHARE:
            bodies.append(_body(draw, voices, encoding))
        another = _body(draw, voices, encoding)
        key, found_object = _of_kind(kind, key, bodies, another)
        found[key] = found_object
    return found


def _of_kind(kind: str, key: str, bodies: list[Body], another: Body) -> tuple[str, Dropped]:
    """The object of a kind, and its key."""
    last = bodies[-1].content
    match kind:
        case "archived":
            archived = Body(last, {"StorageClass": "GLACIER"})
            return key, Dropped([*bodies[:-1], archived], error=ObjectArchived.type)
        case "restored":
            archived = Body(last, {"StorageClass": "DEEP_ARCHIVE"})
            return key, Dropped([*bodies[:-1], archived], Change.RESTORED)
        case "with a caller's key":
            encrypted = Body(last, {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32})
            return key, Dropped([*bodies[:-1], encrypted], error=ObjectUnreadable.type)
        case "rolled back":
            return key, Dropped([*bodies, another], Change.ROLLED_BACK)
        case "folder":
            return f"{key}/", Dropped([Body(b"")], is_folder=True)
        case "too long":
            return key, Dropped([*bodies, Body(long_flac(LONG_HOURS))], error=LimitExceeded.type)
    return key, Dropped(bodies)


def _body(draw: random.Random, voices: list[np.ndarray], kind: str) -> Body:
    if draw.random() < CORRUPT_SHARE:
        return Body(draw.choice([b"", b"RIFF", b"The minutes of the meeting.\n" * 9, draw.randbytes(999)]))
    voice = draw.choice(voices)
    length = draw.randrange(RATE, 2 * RATE)
    start = draw.randrange(len(voice) - length)
    buffer = io.BytesIO()
    soundfile.write(buffer, draw.uniform(0.2, 1) * voice[start : start + length], RATE, format=kind)
    return Body(buffer.getvalue())
