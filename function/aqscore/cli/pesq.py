"""PESQ itself, of a recording whose clean reference is at hand, by the package ``pesq``."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqscore.audio.recording import OUTPUT_RATE_HZ, Recording
from aqscore.config import ScorerConfig
from aqscore.errors import AqscoreError, SetupError


def check_installed() -> None:
    """Raises SetupError where the package is missing."""
    try:
        import pesq  # noqa: F401
    except ImportError:
        raise SetupError(
            "--reference needs the package pesq, which is not installed.", advice="Run: pip install pesq"
        ) from None


def pesq_wb(reference: Path, degraded: Path, config: ScorerConfig) -> float:
    """PESQ-WB MOS-LQO (ITU-T P.862.2) of a recording against its reference, both mixed to 16 kHz mono.

    NaN where PESQ or one of the recordings gives none, such as in silence.
    """
    from pesq import PesqError, pesq

    try:
        samples = [_samples(path, config) for path in (reference, degraded)]
        return float(pesq(OUTPUT_RATE_HZ, *samples, "wb"))
    except (AqscoreError, PesqError, OSError):
        return math.nan


def _samples(path: Path, config: ScorerConfig) -> NDArray[Any]:
    with path.open("rb") as file, Recording(file, config.limits) as recording:
        return np.concatenate([block.copy() for block in recording.blocks()])
