"""The recordings of a fault run: short ones, some of them corrupt, and the expected result of each."""

import io
import random
import tempfile
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import soundfile

from aqscore.config import ScorerConfig
from aqscore.errors import PermanentError
from aqscore.pipeline import score_file
from infra.localstack.install import ROOT

RATE = 16_000
FORMATS = ("WAV", "FLAC", "OGG", "MP3")
NAMES = ("{:04d}.{}", "calls/{:04d} a+b.{}", "录音/{:04d} 50%25.{}", "{:04d}?x=1&y#z.{}")
CORRUPT_SHARE = 0.05
REPEATED_SHARE = 0.1
OVERWRITTEN_SHARE = 0.15


@dataclass(frozen=True)
class Body:
    """The bytes of one version."""

    content: bytes

    @cached_property
    def expected(self) -> tuple[str, object, object]:
        """The pipeline's result for these bytes: ("score", number, verdict) or ("error", type, None)."""
        with tempfile.TemporaryFile() as file:
            file.write(self.content)
            try:
                scored = score_file(file, ScorerConfig())
            except PermanentError as error:
                return "error", error.type, None
        return "score", scored.score, scored.verdict


def recordings(count: int, seed: int) -> dict[str, list[Body]]:
    """Key -> the bodies that are uploaded under it, one after the other."""
    draw = random.Random(seed)
    voices = [
        soundfile.read(ROOT / "examples" / name, dtype="float32")[0] for name in ("clean.flac", "noisy.flac")
    ]
    found = {}
    for number in range(count):
        kind = draw.choice(FORMATS)
        key = draw.choice(NAMES).format(number, kind.lower())
        bodies = [_body(draw, voices, kind)]
        if draw.random() < REPEATED_SHARE:
            bodies.append(bodies[0])
        elif draw.random() < OVERWRITTEN_SHARE:
            bodies.append(_body(draw, voices, kind))
        found[key] = bodies
    return found


def _body(draw: random.Random, voices: list[np.ndarray], kind: str) -> Body:
    if draw.random() < CORRUPT_SHARE:
        return Body(draw.choice([b"", b"RIFF", b"The minutes of the meeting.\n" * 9, draw.randbytes(999)]))
    voice = draw.choice(voices)
    length = draw.randrange(RATE, 2 * RATE)
    start = draw.randrange(len(voice) - length)
    buffer = io.BytesIO()
    soundfile.write(buffer, draw.uniform(0.2, 1) * voice[start : start + length], RATE, format=kind)
    return Body(buffer.getvalue())
